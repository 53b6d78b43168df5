import { afterEach, describe, expect, it, vi } from "vitest";
import { openCcm, sealCcm } from "../../../adapters/ble/ccm.js";
import type { BlePoint } from "../../../adapters/ble/options.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";
import type { Scalar } from "../../../src/field/reading.js";
import { uuid } from "./points.js";
import { until } from "./rig.js";
import { AIR, SimulatorBench } from "./simulator-bench.js";

const KEY = "231d39c1d7cc1ab1aee224cd096db932";
const SERVICE = uuid("181a");

let bench: SimulatorBench | undefined;
afterEach(async () => {
  await bench?.[Symbol.asyncDispose]();
  bench = undefined;
  vi.unstubAllEnvs();
});

type Device = Readonly<Record<string, readonly [point: BlePoint, value: Scalar]>>;

const bthome = (object: number | string, index?: number): BlePoint => ({
  at: { bthome: object, ...(index === undefined ? {} : { index }) },
});
const COMPANY = { manufacturer: 0x0499, match: "05 .. 07", length: 12 } as const;

/** Of each kind of packet: points, and values that the wire carries as they are. */
const PACKETS: Readonly<Record<string, Device>> = {
  "data of a company": {
    temperature: [{ at: { ...COMPANY, byte: 3 }, type: "int16", order: "big" }, -4860],
    low: [{ at: { ...COMPANY, byte: 5 }, type: "uint16", bits: { at: 0, width: 5 } }, 22],
    high: [{ at: { ...COMPANY, byte: 5 }, type: "uint16", bits: { at: 5, width: 11 } }, 1377],
    amount: [{ at: { ...COMPANY, byte: 7 }, type: "int16", sign: "magnitude" }, -300],
    flag: [{ at: { ...COMPANY, byte: 9 }, type: "bool" }, true],
    tail: [{ at: { ...COMPANY, byte: 10 }, type: "bytes" }, fromHex("abcd")],
  },
  "a company that is data": {
    temperature: [{ at: { manufacturer: "any", length: 9, name: "sps" }, type: "int16" }, -123],
    battery: [{ at: { manufacturer: "any", length: 9, byte: 7, name: "sps" }, type: "uint8" }, 86],
    name: [{ at: { radio: "name" } }, "sps 12"],
  },
  "service data": {
    wide: [{ at: { service: SERVICE }, type: "float64" }, 0.1],
    large: [{ at: { service: SERVICE, byte: 8 }, type: "uint64" }, 2n ** 60n + 1n],
    text: [{ at: { service: SERVICE, byte: 16 }, type: "string" }, "über"],
  },
  "two packets of one company": {
    one: [{ at: { manufacturer: 7, match: "01", byte: 1 }, type: "uint8" }, 11],
    other: [{ at: { manufacturer: 7, match: "02", byte: 1 }, type: "uint8" }, 22],
    longer: [{ at: { manufacturer: 7, match: "02", byte: 2 }, type: "uint32" }, 33],
  },
  "BTHome, numbers": {
    temperature: [bthome("temperature"), -12.34],
    outer: [bthome("temperature", 2), 45.6],
    tenths: [bthome(0x45), 21.5],
    humidity: [bthome("humidity"), 50.55],
    voltage: [bthome("voltage"), 230.6],
    energy: [bthome("energy"), 20_000.5],
    count: [bthome("count"), 300],
    change: [bthome(0x5a), -300],
    odd: [bthome(0x58), 7],
    packetId: [bthome("packetId"), 200],
  },
  "BTHome, the rest": {
    door: [bthome("door"), true],
    first: [bthome("button"), "doublePress"],
    third: [bthome("button", 2), "holdPress"],
    knob: [bthome("dimmer"), -3],
    text: [bthome("text"), "hallo"],
    raw: [bthome("raw"), fromHex("0102")],
    firmware: [bthome("firmware"), "4.1.2"],
  },
  MiBeacon: {
    temperature: [{ at: { mibeacon: "temperature" } }, -5.4],
    humidity: [{ at: { mibeacon: "humidity" } }, 58.4],
    inner: [{ at: { mibeacon: 0x100d } }, 23.4],
    innerHumidity: [{ at: { mibeacon: 0x100d, index: 1 } }, 41.2],
    battery: [{ at: { mibeacon: "battery" } }, 93],
    light: [{ at: { mibeacon: "light" } }, true],
    conductivity: [{ at: { mibeacon: "conductivity" } }, 599],
  },
  pvvx: {
    temperature: [{ at: { pvvx: "temperature" } }, -17.05],
    humidity: [{ at: { pvvx: "humidity" } }, 44.57],
    battery: [{ at: { pvvx: "battery" } }, 88],
    reed: [{ at: { pvvx: "reed" } }, 1],
  },
  atc1441: {
    temperature: [{ at: { atc1441: "temperature" } }, 16.5],
    humidity: [{ at: { atc1441: "humidity" } }, 47],
    battery: [{ at: { atc1441: "battery" } }, 95],
  },
  "both free firmwares": {
    fine: [{ at: { pvvx: "temperature" } }, 21.37],
    coarse: [{ at: { atc1441: "temperature" } }, 21.4],
  },
  "the radio": {
    rssi: [{ at: { radio: "rssi" } }, -71],
    power: [{ at: { radio: "txPower" } }, 4],
    name: [{ at: { radio: "name" } }, "cellar"],
  },
};

describe("a simulated device", () => {
  it.each(Object.entries(PACKETS))("is heard: %s", async (_, device) => {
    await expectHeard(device);
  });

  it.each(["BTHome, numbers", "BTHome, the rest", "MiBeacon", "pvvx", "atc1441"])(
    "is heard with a key: %s",
    async (kind) => {
      await expectHeard(PACKETS[kind] ?? {}, KEY);
    },
  );

  it("says the same again each second, which is news when a value is another", async () => {
    bench = await SimulatorBench.open({
      [AIR]: { points: { temperature: bthome("temperature"), id: bthome("packetId") }, key: KEY },
    });
    const { simulator, clock, told } = bench;
    simulator.set(AIR, "temperature", 20);
    await until(() => told.length === 2);
    await clock.advance(5000);
    await simulator.bluez.flush();
    expect(bench.heard("temperature")).toEqual([20]);
    simulator.set(AIR, "temperature", 21);
    await until(() => told.length === 4);
    expect(bench.heard("temperature")).toEqual([20, 21]);
    expect(bench.heard("id")).toEqual([1, 2]);
    expect(simulator.get(AIR, "id")).toBe(2);
  });

  it("counts its packets where the mapping says", async () => {
    const at = { manufacturer: 7, sequence: { byte: 0, type: "uint16", order: "big" } } as const;
    bench = await SimulatorBench.open({
      [AIR]: {
        points: {
          value: { at: { ...at, byte: 2 }, type: "uint8" },
          number: { at: { ...at, byte: 0 }, type: "uint16", order: "big" },
          rssi: { at: { radio: "rssi" } },
        },
      },
    });
    const { simulator } = bench;
    simulator.set(AIR, "number", 0xff);
    simulator.set(AIR, "value", 1);
    await until(() => bench?.heard("value").length === 1);
    simulator.set(AIR, "rssi", -80);
    await until(() => bench?.heard("rssi").includes(-80) === true);
    expect(bench.heard("number")).toEqual([0xff, 0x100]);
  });

  it("is told from another", async () => {
    const points = { temperature: bthome("temperature") };
    bench = await SimulatorBench.open({ [AIR]: { points }, cellar: { points, key: KEY } });
    const { simulator } = bench;
    simulator.set(AIR, "temperature", 20);
    simulator.set("cellar", "temperature", 12);
    await until(() => bench?.told.length === 2);
    expect(bench.told.map(({ device, value }) => [device, value])).toEqual([
      [AIR, 20],
      ["cellar", 12],
    ]);
  });

  it("is read, written, and tells what was written", async () => {
    const gatt = (characteristic: string) => ({ service: SERVICE, characteristic: uuid(characteristic) });
    bench = await SimulatorBench.open({
      [AIR]: {
        points: {
          temperature: { at: { gatt: gatt("2a6e") }, type: "int16" },
          low: { at: { gatt: gatt("2a6f"), byte: 1 }, type: "uint8" },
          setPoint: { at: { gatt: gatt("2a1c") }, type: "int16", order: "big" },
          lock: { at: { gatt: gatt("2a1d"), mode: "notify" }, type: "bool" },
          label: { at: { gatt: gatt("2a1e") }, type: "string" },
        },
        access: "rw",
      },
    });
    const { simulator } = bench;
    simulator.set(AIR, "temperature", 2500);
    simulator.set(AIR, "low", 7);
    await until(() => bench?.heard("lock").length === 1);
    expect(await bench.read("temperature", "low", "setPoint", "label")).toEqual([2500, 7, 0, ""]);
    simulator.set(AIR, "lock", true);
    await until(() => bench?.heard("lock").length === 2);
    await bench.write("setPoint", 215);
    await bench.write("label", "hall");
    await bench.write("lock", false);
    await until(() => bench?.heard("lock").length === 3);
    expect(bench.heard("lock")).toEqual([false, true, false]);
    expect(["setPoint", "label", "lock"].map((point) => simulator.get(AIR, point))).toEqual([215, "hall", false]);
  });

  async function expectHeard(device: Device, key?: string): Promise<void> {
    const points = Object.fromEntries(Object.entries(device).map(([name, [point]]) => [name, point]));
    bench = await SimulatorBench.open({ [AIR]: { points, ...(key === undefined ? {} : { key }) } });
    for (const [name, [, value]] of Object.entries(device)) bench.simulator.set(AIR, name, value);
    const names = Object.keys(device);
    await until(() => names.every((name) => (bench?.heard(name).length ?? 0) > 0));
    const expected = Object.fromEntries(Object.entries(device).map(([name, [, value]]) => [name, about(value)]));
    expect(Object.fromEntries(names.map((name) => [name, bench?.heard(name)[0]]))).toEqual(expected);
    expect(Object.fromEntries(names.map((name) => [name, bench?.simulator.get(AIR, name)]))).toEqual(expected);
  }
});

/** Sums of binary fractions are not quite what they stand for. */
function about(value: Scalar): unknown {
  return typeof value === "number" ? expect.closeTo(value, 9) : value;
}

describe("what cannot be simulated", () => {
  const MISFITS: readonly (readonly [what: string, point: BlePoint, value: Scalar])[] = [
    ["a number beyond its type", { at: { manufacturer: 7 }, type: "uint8" }, 256],
    ["text for a number", { at: { manufacturer: 7 }, type: "uint8" }, "7"],
    ["text that is too long", { at: { manufacturer: 7, length: 3 }, type: "string" }, "four"],
    ["bytes that are too few", { at: { manufacturer: 7, length: 3 }, type: "bytes" }, fromHex("0102")],
    ["a value in place of a mark", { at: { manufacturer: 7, match: "05" }, type: "uint8" }, 6],
    ["a temperature that no object has", bthome("temperature"), 4000],
    ["a word that no button has", bthome("button"), "kick"],
    ["a switch between on and off", bthome("door"), 1],
    ["too many steps", bthome("dimmer"), 256],
    ["a version of one number", bthome("firmware"), "4"],
    ["text beyond a byte's count", bthome("text"), "x".repeat(256)],
    ["a packet id beyond a byte", bthome("packetId"), 256],
    ["a number for a flag", { at: { mibeacon: "light" } }, 1],
    ["an amount beyond its byte", { at: { pvvx: "battery" } }, 300],
    ["a name of another type of device", { at: { radio: "name", name: "sps" } }, "tps"],
    ["a power beyond reason", { at: { radio: "rssi" } }, -200],
  ];
  it.each(MISFITS)("%s", async (_, point, value) => {
    bench = await SimulatorBench.open({ [AIR]: { points: { point } } });
    expect(() => bench?.simulator.set(AIR, "point", value)).toThrow(expect.objectContaining({ code: "VALUE_INVALID" }));
  });

  it("is the voltage of an encrypted pvvx packet", async () => {
    bench = await SimulatorBench.open({ [AIR]: { points: { voltage: { at: { pvvx: "voltage" } } }, key: KEY } });
    expect(() => bench?.simulator.set(AIR, "voltage", 3)).toThrow("no place for 'voltage'");
  });

  it("is what would be taken for another point's value", async () => {
    bench = await SimulatorBench.open({ [AIR]: { points: { firmware: bthome("firmware"), build: bthome(0xf1) } } });
    const { simulator } = bench;
    simulator.set(AIR, "firmware", "4.1.2");
    expect(() => simulator.set(AIR, "build", "4.1.2.9")).toThrow("the packet cannot tell it and firmware apart");
    expect(simulator.get(AIR, "firmware")).toBe("4.1.2");
  });

  it("is what has no name, and what has no value is not invented", async () => {
    bench = await SimulatorBench.open({ [AIR]: { points: { temperature: bthome("temperature") } } });
    const { simulator } = bench;
    const unknown = expect.objectContaining({ code: "INTERNAL" });
    expect(() => simulator.set("cellar", "temperature", 1)).toThrow(unknown);
    expect(() => simulator.set(AIR, "humidity", 1)).toThrow(unknown);
    expect(() => simulator.get(AIR, "humidity")).toThrow(unknown);
    expect(() => simulator.get(AIR, "temperature")).toThrow(unknown);
  });

  it("is anything where there is no dbus-daemon", async () => {
    vi.stubEnv("PATH", "/nowhere");
    const opening = SimulatorBench.open({ [AIR]: { points: {} } });
    await expect(opening).rejects.toMatchObject({ code: "LINK_NO_DBUS", message: expect.stringContaining("dbus") });
  });

  it("are two devices with one address", async () => {
    const device = { points: {}, address: "A4:C1:38:00:00:07" };
    const opening = SimulatorBench.open({ one: device, other: device });
    await expect(opening).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("is a key that is none", async () => {
    const opening = SimulatorBench.open({ [AIR]: { points: {}, key: "1234" } });
    await expect(opening).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

it("AES-CCM is sealed as real devices seal it", () => {
  const key = fromHex("b9ea895fac7eea6d30532432a516f3a3");
  const nonce = fromHex("b2188d38c1a40e161a1811");
  const [sealed, mic] = [fromHex("d603fbfa7b6d"), fromHex("fb1e26fd")];
  const plain = openCcm(key, nonce, sealed, mic, Uint8Array.of(0x11));
  expect(toHex(sealCcm(key, nonce, plain ?? sealed, { associated: Uint8Array.of(0x11) }))).toBe("d603fbfa7b6dfb1e26fd");
});
