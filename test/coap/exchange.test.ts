import { describe, expect, it } from "vitest";
import { Code } from "../../src/coap/code.js";
import { disposition, firstTransmission, isUnwanted, nextTransmission } from "../../src/coap/exchange.js";
import { DEFAULT_PARAMETERS, exchangeLifetimeMs, maxTransmitWaitMs } from "../../src/coap/parameters.js";

describe("disposition of a message", () => {
  it.each([
    ["CON", Code.Empty, "ping"],
    ["CON", Code.Get, "request"],
    ["CON", 0x1f, "request"],
    ["CON", Code.Content, "response"],
    ["CON", Code.NotFound, "response"],
    ["NON", Code.Empty, "ignore"],
    ["NON", Code.Post, "request"],
    ["NON", Code.ServiceUnavailable, "response"],
    ["ACK", Code.Empty, "acknowledgement"],
    ["ACK", Code.Get, "ignore"],
    ["ACK", Code.Content, "piggybacked-response"],
    ["RST", Code.Empty, "reset"],
    ["RST", Code.Get, "ignore"],
    ["RST", Code.Content, "ignore"],
  ] as const)("%s %i: %s", (type, code, expected) => {
    expect(disposition(type, code)).toBe(expected);
  });
});

describe("transmission", () => {
  it.each([
    [0, [2_000, 4_000, 8_000, 16_000, 32_000]],
    [0.5, [2_500, 5_000, 10_000, 20_000, 40_000]],
  ])("doubles its wait from a random first one (%f)", (jitter, expected) => {
    const waits: number[] = [];
    let transmission: ReturnType<typeof nextTransmission> = firstTransmission(DEFAULT_PARAMETERS, () => jitter);
    while (transmission !== undefined) {
      waits.push(transmission.timeoutMs);
      transmission = nextTransmission(transmission, DEFAULT_PARAMETERS);
    }
    expect(waits).toEqual(expected);
  });

  it("has the derived times of RFC 7252 §4.8.2", () => {
    expect(maxTransmitWaitMs(DEFAULT_PARAMETERS)).toBe(93_000);
    expect(exchangeLifetimeMs(DEFAULT_PARAMETERS)).toBe(247_000);
  });
});

describe("No-Response", () => {
  it.each([
    [Code.Content, undefined, false],
    [Code.Content, 0, false],
    [Code.Content, 2, true],
    [Code.NotFound, 2, false],
    [Code.NotFound, 8, true],
    [Code.InternalServerError, 16, true],
    [Code.InternalServerError, 10, false],
    [Code.Content, 26, true],
  ])("%i with %s: %s", (code, noResponse, expected) => {
    expect(isUnwanted(code, noResponse)).toBe(expected);
  });
});
