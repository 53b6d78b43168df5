import { Buffer } from "node:buffer";
import { DeviceView } from "../adapters/ble/device-view.js";
import type { BlePoint } from "../adapters/ble/options.js";
import { PacketMemory } from "../adapters/ble/packet-memory.js";
import { writeBthome } from "../adapters/ble/simulator/bthome-writer.js";
import { StationDecoder } from "../adapters/ble/station-decoder.js";
import { systemClock } from "../src/base/clock.js";
import { silentLog } from "../src/base/log.js";
import type { Point } from "../src/field/adapter.js";
import { type Benchmark, type BenchmarkOptions, round, type Sample } from "./benchmark.js";

/** What the adapter has to bear in a building full of sensors. */
const ADVERTISEMENTS_PER_S = 1000;
const PACKETS = 1000;
const MEASURED_PASSES = 100;
const ADDRESS = "54:48:E6:8F:80:A5";
const KEY = Buffer.from("231d39c1d7cc1ab1aee224cd096db932", "hex");
const BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb";

/** Properties as BlueZ tells them. */
type Changed = Readonly<Record<string, unknown>>;

interface Subject {
  readonly name: string;
  /** Decodes all packets once; returns how many values there were. */
  pass(): number;
}

/** The way of an advertisement from the properties that BlueZ tells to readings; D-Bus itself is not in it. */
export const bleDecoding: Benchmark = {
  name: "ble",
  title: "Advertisements decoded, from BlueZ's properties to readings, beside a loop that reads the same numbers",
  measure: "advertisements/CPU-s",
  ours: "causeway RuuviTag",
  async run({ rounds, progress }: BenchmarkOptions) {
    const subjects = [ruuviSubject(), bareRuuvi(), bthomeSubject("plain"), bthomeSubject("encrypted")];
    const samples: Sample[] = [];
    for (const { pass } of subjects) for (let warm = 0; warm < MEASURED_PASSES / 5; warm++) pass();
    for (let number = 1; number <= rounds; number++) {
      for (const { name, pass } of subjects) {
        const before = process.cpuUsage();
        let decoded = 0;
        for (let turn = 0; turn < MEASURED_PASSES; turn++) decoded += pass();
        const { user, system } = process.cpuUsage(before);
        const perS = (PACKETS * MEASURED_PASSES) / ((user + system) / 1e6);
        const values = {
          "advertisements/CPU-s": Math.round(perS),
          "values/advertisement": round(decoded / (PACKETS * MEASURED_PASSES), 1),
          [`CPU % at ${ADVERTISEMENTS_PER_S}/s`]: round((100 * ADVERTISEMENTS_PER_S) / perS, 2),
        };
        samples.push({ subject: name, round: number, values });
        progress(`round ${number}: ${name} ${JSON.stringify(values)}`);
      }
    }
    return samples;
  },
};

const RUUVI = { manufacturer: 0x0499, match: "05", length: 24 } as const;
const BIG = { type: "int16", order: "big" } as const;
const RUUVI_POINTS: Readonly<Record<string, BlePoint>> = {
  temperature: { at: { ...RUUVI, byte: 1, sequence: { byte: 16, type: "uint16", order: "big" } }, ...BIG },
  humidity: { at: { ...RUUVI, byte: 3 }, type: "uint16", order: "big" },
  pressure: { at: { ...RUUVI, byte: 5 }, type: "uint16", order: "big" },
  accelerationX: { at: { ...RUUVI, byte: 7 }, ...BIG },
  accelerationY: { at: { ...RUUVI, byte: 9 }, ...BIG },
  accelerationZ: { at: { ...RUUVI, byte: 11 }, ...BIG },
  batteryVoltage: { at: { ...RUUVI, byte: 13 }, type: "uint16", order: "big", bits: { at: 5, width: 11 } },
  movements: { at: { ...RUUVI, byte: 15 }, type: "uint8" },
};

const BTHOME_VALUES = { temperature: 25.06, humidity: 50.55, battery: 93 };
const BTHOME_POINTS: Readonly<Record<string, BlePoint>> = Object.fromEntries(
  Object.keys(BTHOME_VALUES).map((object) => [object, { at: { bthome: object } }]),
);

function ruuviFrames(): readonly Buffer[] {
  return Array.from({ length: PACKETS }, (_, sequence) => {
    const frame = Buffer.from("0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F", "hex");
    frame.writeUInt16BE(sequence, 16);
    return frame;
  });
}

function ruuviSubject(): Subject {
  const changes = ruuviFrames().map((frame) => ({
    RSSI: variant("n", -60),
    ManufacturerData: dictionary({ 1177: frame }),
  }));
  return { name: "causeway RuuviTag", pass: () => decodeAll(RUUVI_POINTS, changes) };
}

function bareRuuvi(): Subject {
  const frames = ruuviFrames();
  const pass = (): number => {
    let count = 0;
    for (const frame of frames) {
      const values = [1, 3, 5, 7, 9, 11, 13].map((at) => frame.readInt16BE(at));
      count += values.length + (frame.readUInt8(15) >= 0 ? 1 : 0);
    }
    return count;
  };
  return { name: "bare loop, RuuviTag", pass };
}

function bthomeSubject(kind: "plain" | "encrypted"): Subject {
  const key = kind === "plain" ? undefined : KEY;
  const context = { address: Buffer.from(ADDRESS.replaceAll(":", ""), "hex"), ...(key === undefined ? {} : { key }) };
  const values = Object.entries(BTHOME_VALUES).map(([object, value]) => ({ point: object, object, index: 0, value }));
  const changes = Array.from({ length: PACKETS }, (_, count) => {
    const data = writeBthome(values, { packet: count, counter: count + 1 }, context);
    return { RSSI: variant("n", -60), ServiceData: dictionary({ [BTHOME]: Buffer.from(data) }) };
  });
  return { name: `causeway BTHome ${kind}`, pass: () => decodeAll(BTHOME_POINTS, changes, key) };
}

function decodeAll(points: Readonly<Record<string, BlePoint>>, changes: readonly Changed[], key?: Buffer): number {
  const view = new DeviceView();
  const list = Object.entries(points).map(
    ([name, address]): Point<BlePoint> => ({ name, access: "r", pollClass: "normal", address }),
  );
  const station = { name: "device", address: { address: ADDRESS }, traits: {} };
  const context = { clock: systemClock, log: silentLog, memory: new PacketMemory() };
  const decoder = new StationDecoder(station, list, key === undefined ? context : { ...context, key });
  let count = 0;
  for (const changed of changes) {
    const heard = view.hear(changed);
    if (heard !== undefined) count += decoder.decode(heard).length;
  }
  return count;
}

function variant(signature: string, value: unknown): Changed {
  return { signature, value };
}

function dictionary(entries: Readonly<Record<string, Buffer>>): Changed {
  return variant("a{v}", Object.fromEntries(Object.entries(entries).map(([key, data]) => [key, variant("ay", data)])));
}
