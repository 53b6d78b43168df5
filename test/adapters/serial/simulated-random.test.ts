import { expect, it } from "vitest";
import { Channel } from "../../../adapters/serial/channel.js";
import { CHECKSUM_TYPES, type Checksum, checksumLength } from "../../../adapters/serial/checksum.js";
import { extract } from "../../../adapters/serial/extract.js";
import { fitValue } from "../../../adapters/serial/fit.js";
import type { Framing } from "../../../adapters/serial/framer.js";
import { frameOf, type SerialPoint, type SerialProtocol } from "../../../adapters/serial/options.js";
import { writeRequest } from "../../../adapters/serial/request.js";
import { SimulatedDevice } from "../../../adapters/serial/simulated-device.js";
import { concatBytes, fromHex } from "../../../src/base/bytes.js";
import { CausewayError } from "../../../src/base/errors.js";
import type { Point } from "../../../src/field/adapter.js";
import { BYTE_TYPES } from "../../../src/field/index.js";
import type { Scalar } from "../../../src/field/reading.js";
import { FakeClock } from "../../fakes/clock.js";
import { type Random, random } from "../../fakes/random.js";
import { latin, serialPoint } from "./serial-rig.js";

const CASES = 300;

it("a simulated device says what it was told, in any framing, and takes what is written", async () => {
  const dice = random();
  let said = 0;
  for (let number = 0; number < CASES; number++) said += await oneCase(dice, `seed ${dice.seed}, case ${number}`);
  // Not all that chance brings together can be said, but most of it.
  expect(said, `seed ${dice.seed}`).toBeGreaterThan(CASES / 2);
});

/** 1 when the device had something to say, otherwise 0. */
async function oneCase(dice: Random, name: string): Promise<number> {
  const form = dice.pick(["text", "bytes"]);
  const protocol = protocolOf(dice, form);
  const points = Array.from({ length: 1 + dice.below(3) }, (_, index) => pointOf(dice, form, index, protocol));
  const station = { name: "a", address: new Map([["unit", "7"]]), traits: { protocol } };
  const device = new SimulatedDevice({ station, points });
  const told = new Map<string, Scalar>();
  for (const point of points) {
    const value = randomValue(dice, point.address);
    if (takes(device, point, value, name)) told.set(point.name, fitValue(point, value));
  }
  const heard = await heardOf(device, points, protocol, dice);
  for (const [point, value] of heard) expect(value, `${name}: ${point}`).toEqual(told.get(point));
  for (const point of points) {
    const { write } = point.address;
    const value = told.get(point.name);
    if (write === undefined || value === undefined) continue;
    const request = writeRequest(point.address, write, value, station.address, protocol.checksum);
    // What it cannot say without the others it does not take without them.
    if (!takes(new SimulatedDevice({ station, points }), point, value, name)) continue;
    const fresh = new SimulatedDevice({ station, points });
    for (const piece of inPieces(concatBytes([latin("\x00"), request]), dice)) fresh.hear(piece, () => undefined);
    expect(fresh.get(point.name), `${name}: ${point.name} written`).toEqual(value);
  }
  return heard.size > 0 ? 1 : 0;
}

function takes(device: SimulatedDevice, point: Point<SerialPoint>, value: Scalar, name: string): boolean {
  try {
    device.set(point.name, value);
    return true;
  } catch (error) {
    if (error instanceof CausewayError && error.code === "VALUE_INVALID") return false;
    throw new Error(name, { cause: error });
  }
}

async function heardOf(
  device: SimulatedDevice,
  points: readonly Point<SerialPoint>[],
  protocol: SerialProtocol,
  dice: Random,
): Promise<ReadonlyMap<string, Scalar>> {
  const clock = new FakeClock();
  const channel = new Channel(protocol, clock);
  const heard = new Map<string, Scalar>();
  channel.listen((frame, state) => {
    expect(state).toBe("intact");
    for (const point of points.filter(({ address }) => frameOf(address, protocol) === "all")) {
      const extracted = extract(point.address, frame);
      if (extracted?.quality === "good") heard.set(point.name, extracted.value);
    }
  });
  for (const frame of device.spoken) for (const piece of inPieces(frame, dice)) channel.push(piece);
  await clock.advance(1000);
  return heard;
}

function inPieces(bytes: Uint8Array, dice: Random): readonly Uint8Array[] {
  const at = dice.below(bytes.length + 1);
  return [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0);
}

function protocolOf(dice: Random, form: string): SerialProtocol {
  const frames = new Map([["all", {}]]);
  const start = dice.pick([undefined, fromHex("AA55"), latin("$")]);
  const opening = start === undefined ? {} : { start };
  const way = form === "text" ? "end" : dice.pick(["length", "lengthField", "gap", "escape"]);
  const format = dice.pick(["bytes", "hex"] as const);
  const checksum: Checksum = { type: dice.pick(CHECKSUM_TYPES), format, from: dice.below(2) };
  const size = checksumLength(checksum);
  if (way === "end") {
    if (dice.below(2) === 0) return { framing: { ...opening, end: latin("\r\n") }, frames };
    return { framing: { ...opening, end: latin("\x03"), tail: size }, checksum, frames };
  }
  const framings: Readonly<Record<string, Framing>> = {
    length: { ...opening, length: 40 },
    lengthField: { ...opening, lengthField: { offset: 2, type: "uint8", add: dice.below(4) } },
    gap: { gapMs: 20 },
    escape: { start: fromHex("40"), end: fromHex("0D"), escape: 0x1b },
  };
  const framing = framings[way] ?? {};
  if (way !== "escape") return { framing, frames, ...(dice.below(3) === 0 ? {} : { checksum }) };
  return { framing, checksum: { ...checksum, from: 1, to: -1 - size, at: -1 - size }, frames };
}

function pointOf(dice: Random, form: string, index: number, { checksum }: SerialProtocol): Point<SerialPoint> {
  const name = `p${index}`;
  const sealed = checksum === undefined ? "" : "{checksum}";
  if (form === "bytes") {
    const type = dice.pick(BYTE_TYPES);
    const order = dice.pick(["big", "little"] as const);
    const request = { hex: `68 {unit} ${index}0 {value} 00 ${sealed}` };
    return serialPoint(name, { at: { offset: 3 + 9 * index }, type, order, write: { request } }, "rw");
  }
  const type = dice.pick(["number", "string", "boolean"] as const);
  const request = { text: `{unit}${"ABC"[index]}{value};${sealed}\r` };
  const at = dice.pick([
    { match: `${"XYZ"[index]}=([^;]*);` },
    { match: `(?:^|[^\\d])${index}:\\s*(\\S+);` },
    { obis: `1-0:${index}.8.0` },
  ]);
  return serialPoint(name, { at, type, write: { request } }, "rw");
}

function randomValue(dice: Random, { type }: SerialPoint): Scalar {
  if (type === "boolean") return dice.below(2) === 0;
  if (type === "string")
    return Buffer.from(dice.bytes(1 + dice.below(6)).map((byte) => 0x20 + (byte % 0x5f))).toString();
  if (type === "float32" || type === "float64") return dice.next() * 1000 - 500;
  const whole = dice.below(2 ** dice.pick([3, 7, 15, 31]));
  return type === "number" ? (dice.below(2) === 0 ? 0 - whole : whole / 1000) : whole;
}
