import { describe, expect, it } from "vitest";
import type { Advertisement } from "../../../adapters/ble/advertisement.js";
import { objectsNamed, PACKET_FORMATS } from "../../../adapters/ble/formats.js";
import { type BlePlace, type BlePoint, kindOf, pointProblem } from "../../../adapters/ble/options.js";
import { PacketMemory } from "../../../adapters/ble/packet-memory.js";
import { declaredFrames } from "../../../adapters/ble/simulator/declared-frame.js";
import { FormattedFrame } from "../../../adapters/ble/simulator/formatted-frame.js";
import { type Frame, setIn } from "../../../adapters/ble/simulator/frame.js";
import type { Spoken } from "../../../adapters/ble/simulator/peripheral.js";
import { StationDecoder } from "../../../adapters/ble/station-decoder.js";
import { formattedOf } from "../../../adapters/ble/station-points.js";
import { VALUE_TYPES } from "../../../adapters/ble/value-format.js";
import { CausewayError } from "../../../src/base/errors.js";
import { silentLog } from "../../../src/base/log.js";
import type { Point } from "../../../src/field/adapter.js";
import { type Scalar, sameScalar } from "../../../src/field/reading.js";
import { FakeClock } from "../../fakes/clock.js";
import { type Random, random } from "../../fakes/random.js";
import { point, station, uuid } from "./points.js";

/** Where all points of a device are: in data of one source, or in packets whose format names them. */
type Source = BlePlace | "format";

const SOURCES: readonly [Source, ...Source[]] = [
  { manufacturer: 7 },
  { manufacturer: "any" },
  { service: uuid("181a") },
  "format",
];
const ROUNDS = 400;
const SETS = 30;
const ADDRESS = "A4:C1:38:00:11:22";

describe("packets of points at random", () => {
  it("are read as they were written, or refuse a value and stay as they were", () => {
    const dice = random();
    for (let round = 0; round < ROUNDS; round++) {
      const source = dice.pick(SOURCES);
      const points = Array.from({ length: 1 + dice.below(5) }, (_, at) => point(`p${at}`, randomPoint(source, dice)));
      const key = dice.below(2) === 1 ? dice.bytes(16) : undefined;
      const air = new Air(points, key);
      for (let turn = 0; turn < SETS; turn++) {
        const own = points[dice.below(points.length)];
        if (own !== undefined) air.set(own, dice, `seed ${dice.seed}, round ${round}`);
      }
    }
  });
});

/** The packets of one device, and the adapter's own decoder that hears them. */
class Air {
  readonly #points: readonly Point<BlePoint>[];
  readonly #frames: readonly Frame[];
  readonly #decoder: StationDecoder;

  constructor(points: readonly Point<BlePoint>[], key: Uint8Array | undefined) {
    this.#points = points;
    const secret = key === undefined ? {} : { key };
    const context = { address: Uint8Array.of(0xa4, 0xc1, 0x38, 0, 0x11, 0x22), ...secret };
    this.#frames = [
      ...declaredFrames(points),
      ...formattedOf(points).map(({ format, points: own }) => new FormattedFrame(format, own, context)),
    ];
    const memory = new PacketMemory();
    const clock = new FakeClock();
    this.#decoder = new StationDecoder(station(ADDRESS), points, { clock, log: silentLog, memory, ...secret });
  }

  set({ name, address }: Point<BlePoint>, dice: Random, place: string): void {
    const own = this.#frames.filter((frame) => frame.has(name));
    const before = own.map((frame) => frame.get(name));
    const value = randomValue(address, dice);
    try {
      setIn(own, name, value);
    } catch (error) {
      if (!(error instanceof CausewayError) || error.code !== "VALUE_INVALID") throw new Error(place, { cause: error });
      expect(
        own.map((frame) => frame.get(name)),
        place,
      ).toEqual(before);
      return;
    }
    const told = this.#frames.flatMap((frame) => this.#hear(frame, place));
    // Who sets the number of a packet may set that of the one before, which is then not heard again.
    const isNumbered = this.#points.some(
      ({ address: { at } }) => at.sequence !== undefined || at.bthome === "packetId",
    );
    if (!isNumbered && value !== "none") expect(told, `${place}: ${name} set to ${String(value)}`).toContain(name);
  }

  /** Points of which there was a reading. */
  #hear(frame: Frame, place: string): readonly string[] {
    const spoken = frame.send();
    const readings = spoken === undefined ? [] : this.#decoder.decode(heard(spoken));
    for (const reading of readings) {
      const held = frame.get(reading.point);
      // Text may have become none by what another point has put among its bytes.
      const told = reading.quality === "good" ? reading.value : undefined;
      const isSame = told === undefined || held === undefined ? told === held : sameScalar(told, held);
      if (Number.isNaN(told) && Number.isNaN(held)) continue;
      expect(isSame, `${place}: ${reading.point} told ${String(told)}, held ${String(held)}`).toBe(true);
    }
    return readings.map(({ point: own }) => own);
  }
}

function heard({ manufacturer, services }: Spoken): Advertisement {
  const [company] = Object.keys(manufacturer ?? {}).map(Number);
  return {
    ...(company === undefined ? {} : { newestCompany: company }),
    manufacturer: new Map(Object.entries(manufacturer ?? {}).map(([id, bytes]) => [Number(id), bytes])),
    services: new Map(Object.entries(services ?? {})),
  };
}

/** One that a mapping may have. */
function randomPoint(source: Source, dice: Random): BlePoint {
  for (;;) {
    const candidate = source === "format" ? randomFormatted(dice) : randomDeclared(source, dice);
    if (pointProblem(candidate) === undefined) return candidate;
  }
}

function randomFormatted(dice: Random): BlePoint {
  const format = dice.pick(PACKET_FORMATS);
  const index = dice.below(4) === 0 ? { index: dice.below(3) } : {};
  const objects = objectsNamed(format);
  return { at: { [format]: objects[dice.below(objects.length)], ...index } };
}

function randomDeclared(source: BlePlace, dice: Random): BlePoint {
  const at: BlePlace = {
    ...source,
    byte: dice.below(12),
    ...(dice.below(2) === 1 ? { length: 14 } : {}),
    ...(dice.below(2) === 1 ? { match: dice.pick(["05", "06", "05 .. 01"]) } : {}),
    ...(dice.below(4) === 0 ? { sequence: { byte: 12, type: "uint16" } } : {}),
  };
  return {
    at,
    type: dice.pick(VALUE_TYPES),
    ...(dice.below(2) === 1 ? { order: dice.pick(["little", "big"] as const) } : {}),
    ...(dice.below(3) === 0 ? { bits: { at: dice.below(12), width: 1 + dice.below(8) } } : {}),
    ...(dice.below(4) === 0 ? { sign: "magnitude" } : {}),
  };
}

function randomValue(address: BlePoint, dice: Random): Scalar {
  const kind = kindOf(address);
  if (kind === "boolean") return dice.below(2) === 1;
  if (kind === "bytes") return dice.bytes(dice.below(6));
  if (kind === "string") return dice.pick(["press", "holdPress", "4.1.2", "hallo", "", "end\0"]);
  return (dice.below(2) === 1 ? 1 : -1) * dice.below(10 ** (1 + dice.below(6))) * dice.pick([1, 0.1, 0.01]);
}
