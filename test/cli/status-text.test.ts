import { describe, expect, it } from "vitest";
import { numberText } from "../../src/cli/number-text.js";
import { plainText } from "../../src/cli/plain-log.js";
import { pointsText, statusText } from "../../src/cli/status-text.js";
import type { DeviceStatus } from "../../src/field/device-options.js";
import { statusDocument } from "../../src/local/document.js";
import type { BootstrapStatus } from "../../src/lwm2m/client.js";
import { NOW_MS, SOURCE } from "../local/source.js";

function bootstrapLine(bootstrap: BootstrapStatus): string | undefined {
  const source = { ...SOURCE, endpoints: [{ endpoint: "gw1", servers: [], bootstrap }] };
  const document = statusDocument(source, { version: "1.0.0", startedAtMs: NOW_MS }, NOW_MS);
  return statusText(document)
    .find((line) => line.includes("coap://192.0.2.9"))
    ?.replaceAll(/ +/g, " ");
}

describe("the line of the bootstrap server", () => {
  it.each<[Partial<BootstrapStatus>, string]>([
    [{}, "idle - - - -"],
    [
      { state: "waiting", lastFailure: "COAP_TIMEOUT", retryAtMs: NOW_MS + 4000 },
      "waiting - - - - after COAP_TIMEOUT, next in 4.0s",
    ],
    [{ finishedAtMs: NOW_MS - 61_000 }, "idle - - - - bootstrapped 1m 1s ago"],
  ])("%j", (status, rest) => {
    const line = bootstrapLine({ uri: "coap://192.0.2.9", state: "idle", ...status });
    expect(line?.trim()).toBe(`gw1 bootstrap coap://192.0.2.9 ${rest}`);
  });
});

it("each point has a line, with its value or with what is wrong", () => {
  const meter = SOURCE.points.get("meter") ?? [];
  const never = { name: "phase", quality: "never-read", reason: "nothing has come yet" } as const;
  const points = new Map([["meter", [...meter, never]]]);
  const document = statusDocument({ ...SOURCE, points }, { version: "1.0.0", startedAtMs: NOW_MS }, NOW_MS);
  expect(pointsText(document).map((line) => line.replaceAll(/ +/g, " "))).toEqual([
    "DEVICE POINT VALUE UNIT QUALITY AT REASON",
    "meter energy 1152921504606846976 Wh good 0.4s ago",
    "meter raw 01ff good 0.4s ago",
    "meter power - exception 0.4s ago exception 2",
    "meter phase - never-read - nothing has come yet",
  ]);
  expect(statusText(document).join("\n"), "a fault is more worth a note").toMatch(
    /2 good, 1 exception, 1 never-read +0 +power: exception 2/,
  );
});

describe("the note of a device", () => {
  const [device] = SOURCE.field.devices;
  const timeout = { quality: "timeout", reason: "unit 7 did not answer within 1000 ms" } as const;
  const points = [
    { name: "power", ...timeout },
    { name: "energy", ...timeout },
    { name: "phase", quality: "never-read", reason: "nothing has come yet" },
  ] as const;

  it.each<[Partial<DeviceStatus>, string]>([
    [{ health: "offline", lastAnswerMs: NOW_MS - 125_000 }, `silent for 2m 5s: ${timeout.reason}`],
    [{ health: "offline" }, `has never answered: ${timeout.reason}`],
    [{ health: "online", skippedSlots: 4 }, `power and 1 more: ${timeout.reason}`],
  ])("%j", (status, note) => {
    if (device === undefined) throw new Error("the source has no device");
    const { lastAnswerMs: _, ...rest } = device;
    const devices = [{ ...rest, ...status }];
    const source = { ...SOURCE, field: { ...SOURCE.field, devices }, points: new Map([["meter", points]]) };
    const document = statusDocument(source, { version: "1.0.0", startedAtMs: NOW_MS }, NOW_MS);
    const line = statusText(document).find((text) => text.startsWith("meter"));
    expect(line).toMatch(new RegExp(` ${status.skippedSlots ?? 0} +${note}$`));
  });
});

it.each([
  [231.39999389648438, "231.4"],
  [241370.01037597656, "241370.01"],
  [23.400000000000002, "23.4"],
  [1234567891, "1234567891"],
  [-0.5, "-0.5"],
])("%d is shown as %s", (value, text) => {
  expect(numberText(value)).toBe(text);
});

it.each<[string, readonly string[]]>([
  [
    JSON.stringify({ medium: "modbus /dev/ttyUSB0", code: "LINK_BUSY", error: "it is held", remedy: "Stop it." }),
    ["warn: a message: LINK_BUSY: it is held (medium modbus /dev/ttyUSB0)", "  Stop it."],
  ],
  [JSON.stringify({ device: "d", reason: "a message", failures: 2 }), ["warn: a message (device d, failures 2)"]],
  [JSON.stringify({ reason: "'\u001b[2J' is no number" }), ["warn: a message: '·[2J' is no number"]],
  ["", ["warn: a message"]],
])("a warning with %s", (facts, lines) => {
  expect(plainText({ level: "warn", message: "a message", facts })).toEqual(lines);
});
