import { beforeEach, describe, expect, it } from "vitest";
import { checksumOf } from "../../../adapters/serial/checksum.js";
import { concatBytes, NO_BYTES } from "../../../src/base/bytes.js";
import { latin, SerialRig, serialPoint, serialStation } from "./serial-rig.js";

const forever = new AbortController().signal;
const points = [
  serialPoint("energy", { at: { obis: "1.8.0" }, type: "number" }),
  serialPoint("number", { at: { obis: "0.0.0" } }),
  serialPoint("exported", { at: { obis: "2.8.0" }, type: "number" }),
];
const DATA = "0.0.0(12345678)\r\n1-0:1.8.0*255(000123.456*kWh)\r\n1.8.0*01(000100.000*kWh)\r\n!\r\n";

function block(data: string): Uint8Array {
  const covered = concatBytes([latin(data), Uint8Array.of(3)]);
  return concatBytes([Uint8Array.of(2), covered, Uint8Array.of(checksumOf(covered, "xor"))]);
}

let rig: SerialRig;
let rates: number[];
beforeEach(() => {
  rig = new SerialRig(300);
  rates = [];
  Object.assign(rig.line, { setBaudRate: async (rate: number) => void rates.push(rate) });
});

async function readOut(id?: string): Promise<string[]> {
  const station = serialStation({ session: "iec62056-21" }, id === undefined ? {} : { id });
  const reading = rig.link.read(station, points, forever);
  for (let step = 0; step < 120; step++) await rig.clock.advance(500);
  return SerialRig.shown(await reading);
}

/** A meter that identifies itself so and answers an acknowledgement with the block. */
function meter(identification: string, answer: Uint8Array, before: Uint8Array = NO_BYTES): void {
  rig.answer = (request) => {
    if (request.startsWith("/?")) return [300, before, latin(`${identification}\r\n`)];
    return request.startsWith("\x06") ? [200, answer.slice(0, 20), 300, answer.slice(20)] : [];
  };
}

const GOOD = ["energy 123.456", "number 12345678", "exported invalid: the answer says nothing of it"];

describe("IEC 62056-21", () => {
  it("mode C goes on at the rate that the meter offers, and ends at the first one", async () => {
    meter("/LOG5LK13BD202001", block(DATA));
    expect(await readOut()).toEqual(GOOD);
    expect(rig.requests).toEqual(["/?!\r\n", "\x06050\r\n"]);
    expect(rates).toEqual([9600, 300]);
  });

  it("asks the meter of a number, and is not misled by its echo and the parity bit", async () => {
    const odd = (bytes: Uint8Array): Uint8Array =>
      Uint8Array.from(bytes, (byte, index) => (index % 3 === 0 ? byte | 0x80 : byte));
    meter("/LOG4LK13BD202001", odd(block(DATA)), latin("/?12345678!\r\n"));
    expect(await readOut("12345678")).toEqual(GOOD);
    expect(rig.requests).toEqual(["/?12345678!\r\n", "\x06040\r\n"]);
    expect(rates).toEqual([4800, 300]);
  });

  it("stays at the first rate where the line cannot change it", async () => {
    Object.assign(rig.line, { setBaudRate: undefined });
    meter("/LOG5LK13BD202001", block(DATA));
    expect(await readOut()).toEqual(GOOD);
    expect(rig.requests).toEqual(["/?!\r\n", "\x06000\r\n"]);
  });

  it.each([
    ["B", "/ABCE12345", [9600, 300]],
    ["A", "/ABC@12345", [300]],
  ])("mode %s needs no acknowledgement", async (_, identification, changes) => {
    rig.answer = () => [latin(`${identification}\r\n`), 100, block(DATA)];
    expect(await readOut()).toEqual(GOOD);
    expect(rig.requests).toEqual(["/?!\r\n"]);
    expect(rates).toEqual(changes);
  });

  it("takes a block without marks to its '!'", async () => {
    rig.answer = () => [latin("/ABC@12345\r\n"), 100, latin(DATA)];
    expect(await readOut()).toEqual(GOOD);
  });

  it.each<[string, string, Uint8Array, string]>([
    [
      "a wrong check character",
      "/LOG5LK",
      block(DATA).with(-1, 0x7e),
      "crc: the data block has a wrong block check character",
    ],
    ["half a block", "/LOG5LK", block(DATA).slice(0, 40), "timeout: no data block"],
    ["no block", "/LOG5LK", NO_BYTES, "timeout: no data block"],
  ])("with %s says so, and the next readout is good", async (_, identification, answer, fault) => {
    meter(identification, answer);
    expect(await readOut()).toEqual(points.map(({ name }) => `${name} ${fault}`));
    expect(rates.at(-1)).toBe(300);
    meter("/LOG5LK", block(DATA));
    expect(await readOut()).toEqual(GOOD);
  });

  it("with silence, or with noise for ever, ends", async () => {
    expect(await readOut()).toEqual(points.map(({ name }) => `${name} timeout: no identification`));
    const noise = (): void => {
      rig.say("??\r\n");
      rig.clock.schedule(1000, noise);
    };
    rig.clock.schedule(0, noise);
    expect(await readOut()).toEqual(
      points.map(({ name }) => `${name} timeout: the readout did not end within 50000 ms`),
    );
  });
});
