import { beforeEach, describe, expect, it } from "vitest";
import type { SerialProtocol } from "../../../adapters/serial/options.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";
import { CausewayError } from "../../../src/base/errors.js";
import type { Reading } from "../../../src/field/reading.js";
import { settle } from "../../fakes/clock.js";
import { latin, SerialRig, serialPoint, serialStation } from "./serial-rig.js";

const forever = new AbortController().signal;

const SCALE: SerialProtocol = {
  framing: { end: latin("\r\n") },
  frames: new Map([
    [
      "weight",
      {
        match: { text: "^S [SD] " },
        request: { text: "SI\r\n" },
        refusals: new Map([
          ["^[SZ] I$", "busy"],
          ["^ES$", "unknown command"],
        ]),
      },
    ],
  ]),
};
const weight = serialPoint("weight", { at: { match: "^S [SD]\\s+(-?[\\d.]+) g$" }, type: "number" });
const zero = serialPoint(
  "zero",
  {
    type: "boolean",
    write: { request: { text: "{value}\r\n" }, map: new Map([["true", "Z"]]), reply: { text: "^Z A$" } },
  },
  "w",
);

let rig: SerialRig;
beforeEach(() => {
  rig = new SerialRig();
});

async function read(
  protocol: SerialProtocol,
  points = [weight],
  address: Record<string, string> = {},
): Promise<string[]> {
  const reading = rig.link.read(serialStation(protocol, address), points, forever);
  for (let step = 0; step < 12; step++) await rig.clock.advance(100);
  return SerialRig.shown(await reading);
}

describe("a polled device", () => {
  it.each<[string, readonly (Uint8Array | number)[], string]>([
    ["an answer", [latin("S S     100.00 g\r\n")], "weight 100"],
    ["an answer in pieces", [latin("S S   "), 300, latin("  100.00 g\r"), 300, latin("\n")], "weight 100"],
    ["an echo before the answer", [latin("SI\r\nS S   -7.5 g\r\n")], "weight -7.5"],
    ["noise before the answer", [latin("\x00\xff#\r\nS D      3.1 g\r\n")], "weight 3.1"],
    ["a refusal", [latin("S I\r\n")], "weight invalid: busy"],
    ["another unit", [latin("S S     1.00 kg\r\n")], "weight invalid: 'S S     1.00 kg' is not what was expected"],
    ["silence", [], "weight timeout: device did not answer within 1000 ms"],
    ["half an answer", [latin("S S    10")], "weight timeout: device did not answer within 1000 ms"],
    ["a late answer", [1050, latin("S S     5.00 g\r\n")], "weight timeout: device did not answer within 1000 ms"],
  ])("gives %s", async (_, answer, shown) => {
    rig.answer = () => answer;
    expect(await read(SCALE)).toEqual([shown]);
    expect(rig.requests).toEqual(["SI\r\n"]);
  });

  it("is not believed what it says before it is asked", async () => {
    rig.say("S S     1.00 g\r\nS S     2.0");
    rig.answer = () => [latin("S S     3.00 g\r\n")];
    expect(await read(SCALE)).toEqual(["weight 3"]);
  });

  it("with a damaged answer has quality crc", async () => {
    const protocol: SerialProtocol = {
      framing: { start: fromHex("FF"), length: 9 },
      checksum: { type: "lrc", from: 1, to: 8, at: 8 },
      frames: new Map([
        ["m", { request: { hex: "FF {unit} 86 00 00 00 00 00 {checksum}" }, match: { start: fromHex("FF 86") } }],
      ]),
    };
    const co2 = serialPoint("co2", { at: { offset: 2 }, type: "uint16" });
    rig.answer = () => [fromHex("FF 86 02 60 47 00 00 00 D2")];
    expect(await read(protocol, [co2], { unit: "1" })).toEqual(["co2 crc: device: the answer has a wrong checksum"]);
    rig.answer = () => [fromHex("FF 86 02 60 47 00 00 00 D1")];
    expect(await read(protocol, [co2], { unit: "1" })).toEqual(["co2 608"]);
    expect(toHex(latin(rig.requests[0] ?? ""))).toBe("ff0186000000000079");
  });

  it.each([
    [undefined, undefined, 1000],
    [undefined, 300, 300],
    [2000, 300, 2000],
  ])("has its time: %s of the frame, %s of the device", async (timeout, responseTimeoutMs, expected) => {
    const kind = SCALE.frames?.get("weight");
    const frames = new Map([["weight", { ...kind, ...(timeout === undefined ? {} : { timeout }) }]]);
    const station = serialStation({ ...SCALE, frames });
    const traits = { ...station.traits, ...(responseTimeoutMs === undefined ? {} : { responseTimeoutMs }) };
    const reading = rig.link.read({ ...station, traits }, [weight], forever);
    await rig.clock.advance(expected);
    expect(SerialRig.shown(await reading)).toEqual([`weight timeout: device did not answer within ${expected} ms`]);
  });

  it("is let go with the signal, and with the line", async () => {
    const abort = new AbortController();
    const given = rig.link.read(serialStation(SCALE), [weight], abort.signal);
    abort.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    const lost = rig.link.read(serialStation(SCALE), [weight], forever);
    rig.line.break(new CausewayError("LINK_FAILED", "unplugged"));
    await expect(lost).rejects.toMatchObject({ code: "LINK_FAILED" });
    await expect(rig.link.read(serialStation(SCALE), [weight], forever)).rejects.toMatchObject({ code: "LINK_FAILED" });
  });
});

describe("a write", () => {
  const write = async (value: boolean): Promise<string> => {
    const written = rig.link.write(serialStation(SCALE), zero, value, forever).then(
      () => "done",
      (error: CausewayError) => `${error.code}: ${error.message}`,
    );
    for (let step = 0; step < 12; step++) await rig.clock.advance(100);
    return await written;
  };

  it.each([
    ["Z A\r\n", "done"],
    ["Z I\r\n", "FIELD_EXCEPTION: device.zero: busy"],
    ["ES\r\n", "FIELD_EXCEPTION: device.zero: unknown command"],
    ["S S   1 g\r\n", "FIELD_TIMEOUT: device did not answer within 1000 ms"],
  ])("answered by %j is %s", async (answer, outcome) => {
    rig.answer = () => [latin(answer)];
    expect(await write(true)).toBe(outcome);
    expect(rig.requests).toEqual(["Z\r\n"]);
  });

  it("of a value without a word is refused", async () => {
    expect(await write(false)).toBe("VALUE_INVALID: false is not one of true");
    expect(rig.requests).toEqual([]);
  });
});

describe("devices that speak on their own", () => {
  const NMEA: SerialProtocol = {
    framing: { start: latin("$"), end: latin("\r\n") },
    checksum: { type: "xor", from: 1, to: -5, at: -4, format: "hex" },
    frames: new Map([
      ["gga", { match: { text: "^\\$..GGA," } }],
      ["rmc", { match: { text: "^\\$..RMC," } }],
    ]),
  };
  const latitude = serialPoint("latitude", { at: { frame: "gga", csv: 2 }, type: "angle" });
  const speed = serialPoint("speed", { at: { frame: "rmc", csv: 7 }, type: "number" });
  const GGA = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n";

  it("are heard, each frame for its points, until the signal", async () => {
    const heard: Reading[][] = [];
    const abort = new AbortController();
    const sink = { readings: (readings: readonly Reading[]) => heard.push([...readings]), gone: () => undefined };
    await rig.link.watch(serialStation(NMEA), [latitude, speed], sink, abort.signal);
    rig.say(`AA,1*00\r\n${GGA}`);
    rig.say("$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n");
    rig.say("$GPVTG,084.4,T,,M,022.4,N,041.5,K*4A\r\n");
    rig.say(GGA.replace("*47", "*48"));
    await settle();
    expect(heard.map(SerialRig.shown)).toEqual([
      [expect.stringMatching(/^latitude 48\.1173/)],
      ["speed 22.4"],
      ["latitude crc: a frame with a wrong checksum"],
    ]);
    abort.abort();
    rig.say(GGA);
    expect(heard).toHaveLength(3);
  });

  it("may share the line with polled ones", async () => {
    const heard: Reading[] = [];
    const sink = { readings: (readings: readonly Reading[]) => heard.push(...readings), gone: () => undefined };
    await rig.link.watch(serialStation(NMEA), [latitude], sink, forever);
    rig.answer = () => [latin(GGA), latin("S S   1.5 g\r\n")];
    expect(await read(SCALE)).toEqual(["weight 1.5"]);
    expect(SerialRig.shown(heard)).toHaveLength(1);
  });
});
