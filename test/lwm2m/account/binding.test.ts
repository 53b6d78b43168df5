import { describe, expect, it } from "vitest";
import { createLog } from "../../../src/base/log.js";
import { checkUpdateArguments, transportOf } from "../../../src/lwm2m/account/binding.js";
import { startBench } from "../../fakes/lwm2m-client.js";

const UDP = "coap://192.0.2.1:5683";
const TCP = "coap+tcp://192.0.2.1:5683";
const TEXT = 0;

describe("transportOf", () => {
  it.each([
    [UDP, "U"],
    ["coaps://192.0.2.1", "U"],
    [TCP, "T"],
    ["coaps+tcp://192.0.2.1", "T"],
  ])("%s is %s", (uri, letter) => {
    expect(transportOf(uri)).toBe(letter);
  });
});

describe("checkUpdateArguments", () => {
  it.each([
    ["", "U", UDP],
    ["0", "U", UDP],
    ["0=''", "U", UDP],
    ["0='U'", "U", UDP],
    ["0='U'", "UT", UDP],
    ["0='U'", "T", UDP],
    ["0='T'", "UT", TCP],
  ])("takes %s with the binding %s at %s", (args, binding, uri) => {
    expect(() => checkUpdateArguments(args, { binding, uri })).not.toThrow();
  });

  it.each([
    ["0='T'", "U", UDP, "the binding 'U' has no transport T"],
    ["0='T'", "UT", UDP, "the client has no transport T to the server"],
    ["0='U'", "UT", TCP, "the client has no transport U to the server"],
    ["0='UT'", "UT", UDP, "'UT' is not one of the transports U, M, H, T, S, N"],
    ["0='u'", "U", UDP, "'u' is not one of the transports U, M, H, T, S, N"],
    ["1='U'", "U", UDP, "argument 1 has no meaning here"],
    ["0='U',5", "U", UDP, "argument 5 has no meaning here"],
    ["U", "U", UDP, "the arguments break the grammar of Execute"],
  ])("refuses %s with the binding %s at %s: %s", (args, binding, uri, message) => {
    expect(() => checkUpdateArguments(args, { binding, uri })).toThrow(
      expect.objectContaining({ code: "LWM2M_BAD_REQUEST", message }),
    );
  });
});

describe("Registration Update Trigger /1/x/8", () => {
  it.each([
    ["0='U'", "2.04", ["POST /rd/1"]],
    ["0", "2.04", ["POST /rd/1"]],
    ["0='T'", "4.00", []],
    ["0='N'", "4.00", []],
  ])("with %s is answered with %s", async (payload, answer, log) => {
    const { server, clock } = await startBench();
    expect(await server.text("POST", "/1/0/8", { contentFormat: TEXT, payload })).toBe(answer);
    await clock.advance(100);
    expect(server.log.slice(1)).toEqual(log);
  });
});

describe("Preferred Transport /1/x/22", () => {
  it.each([
    ["UT", "4.00"],
    ["", "4.00"],
    ["X", "4.00"],
    ["U", "2.04"],
    ["N", "2.04"],
  ])("a Write of '%s' is answered with %s", async (payload, answer) => {
    const { server } = await startBench();
    expect(await server.text("PUT", "/1/0/22", { contentFormat: TEXT, payload })).toBe(answer);
  });

  it.each([
    ["U", []],
    ["T", ["the server prefers a transport that the client does not have"]],
  ])("%s leaves the registration as it is, and is told in the log when it cannot be used", async (payload, told) => {
    const lines: string[] = [];
    const { server, clock } = await startBench({ log: createLog("info", (line) => lines.push(line)) });
    lines.length = 0;
    await server.text("PUT", "/1/0/22", { contentFormat: TEXT, payload });
    await clock.advance(10_000);
    expect(server.requests).toHaveLength(1);
    expect(server.opened).toBe(1);
    expect(lines.map((line) => JSON.parse(line.replace(/^<\d>/, "")).msg)).toEqual(told);
  });
});
