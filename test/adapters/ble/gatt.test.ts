import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Peripheral, PeripheralCharacteristic, Temper } from "../../../adapters/ble/simulator/peripheral.js";
import { fromHex } from "../../../src/base/bytes.js";
import { ADDRESS, GATT, GattBench, SETPOINT, TEMPERATURE, UNTIL_ABORTED } from "./gatt-bench.js";
import { point, station, uuid } from "./points.js";
import { type BleLink, type BleRig, until } from "./rig.js";

const PATH = "/org/bluez/hci0/dev_C0_00_00_00_00_01";
const OTHER = "C0:00:00:00:00:02";
const SERVICE = uuid("181a");
const LOW = point("low", { at: { gatt: GATT }, type: "uint8" });

let bench: GattBench;
let rig: BleRig;
let link: BleLink;
let device: Peripheral;
let temperature: PeripheralCharacteristic;
beforeEach(async () => {
  bench = await GattBench.open();
  ({ rig, link, device, temperature } = bench);
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

describe("characteristics", () => {
  it("are read over a connection that is set up without scanning, and kept", async () => {
    rig.bluez.calls.splice(0);
    const atMs = rig.clock.nowMs();
    expect(await bench.read(TEMPERATURE, LOW)).toEqual([
      { point: "temperature", atMs, quality: "good", value: 2500 },
      { point: "low", atMs, quality: "good", value: 0xc4 },
    ]);
    await bench.read(TEMPERATURE);
    expect(rig.bluez.calls).toEqual([
      "StopDiscovery /org/bluez/hci0",
      `Connect ${PATH}`,
      "StartDiscovery /org/bluez/hci0",
      `ReadValue ${PATH}/service0000/char0000`,
      `ReadValue ${PATH}/service0000/char0000`,
    ]);
  });

  it("are read over a connection that was left behind", async () => {
    await bench.read(TEMPERATURE);
    const next = await rig.open();
    await rig.clock.advance(20_000);
    expect(await next.read(station(ADDRESS), [TEMPERATURE], UNTIL_ABORTED)).toMatchObject([{ quality: "good" }]);
  });

  it("cost the device nothing when nobody asks for half a minute", async () => {
    await bench.read(TEMPERATURE);
    await rig.clock.advance(29_000);
    await bench.read(TEMPERATURE);
    await rig.clock.advance(29_000);
    expect(rig.bluez.isConnected(ADDRESS)).toBe(true);
    await rig.clock.advance(1000);
    await until(() => !rig.bluez.isConnected(ADDRESS));
    await bench.advertise();
    expect(await bench.read(TEMPERATURE)).toMatchObject([{ quality: "good" }]);
  });

  it("are written with a response and without, in their own order of bytes", async () => {
    await link.write(station(ADDRESS), SETPOINT, -2, UNTIL_ABORTED);
    expect(await bench.read(SETPOINT)).toMatchObject([{ value: -2 }]);
    const quiet = point("quiet", { ...SETPOINT.address, write: "without-response" }, "w");
    await link.write(station(ADDRESS), quiet, 300, UNTIL_ABORTED);
    const path = `${PATH}/service0000/char0001`;
    expect(rig.bluez.written).toEqual([
      [path, fromHex("fffe"), "request"],
      [path, fromHex("012c"), "command"],
    ]);
  });

  it("are written only with what they can hold", async () => {
    const writing = link.write(station(ADDRESS), SETPOINT, 40_000, UNTIL_ABORTED);
    await expect(writing).rejects.toMatchObject({ code: "VALUE_INVALID" });
    const advertised = point("x", { at: { radio: "rssi" } }, "rw");
    await expect(link.write(station(ADDRESS), advertised, 1, UNTIL_ABORTED)).rejects.toMatchObject({
      code: "FIELD_NOT_WRITABLE",
    });
    expect(rig.bluez.written).toEqual([]);
  });

  it("that the device does not have, or refuses, are faults of their own", async () => {
    const absent = point("absent", { at: { gatt: { service: SERVICE, characteristic: uuid("2aff") } }, type: "uint8" });
    expect(await bench.read(TEMPERATURE, absent)).toMatchObject([{ quality: "good" }, { quality: "unsupported" }]);
    temperature.refuses = "org.bluez.Error.NotPermitted";
    expect(await bench.read(TEMPERATURE, SETPOINT)).toMatchObject([{ quality: "unsupported" }, { quality: "good" }]);
    temperature.refuses = "org.bluez.Error.NotAuthorized";
    expect(await bench.read(TEMPERATURE)).toMatchObject([{ quality: "exception" }]);
    const writing = link.write(station(ADDRESS), { ...TEMPERATURE, access: "rw" }, 1, UNTIL_ABORTED);
    await expect(writing).rejects.toMatchObject({ code: "FIELD_EXCEPTION" });
    temperature.refuses = "org.bluez.Error.NotSupported";
    const refused = link.write(station(ADDRESS), { ...TEMPERATURE, access: "rw" }, 1, UNTIL_ABORTED);
    await expect(refused).rejects.toMatchObject({ code: "FIELD_NOT_WRITABLE" });
  });

  it("may be shorter than the profile says", async () => {
    temperature.value = fromHex("c4");
    expect(await bench.read(TEMPERATURE)).toMatchObject([
      { quality: "invalid", reason: "1 bytes have no int16 at byte 0" },
    ]);
  });
});

describe("a device that cannot be had", () => {
  it("is not tried when it was not heard for half a minute", async () => {
    await rig.clock.advance(30_000);
    expect(await bench.read(TEMPERATURE)).toMatchObject([
      { quality: "timeout", reason: `${ADDRESS} has not advertised for 30 s` },
    ]);
    expect(await link.read(station("C0:00:00:00:00:03"), [TEMPERATURE], UNTIL_ABORTED)).toMatchObject([
      { quality: "timeout", reason: "C0:00:00:00:00:03 has not advertised yet" },
    ]);
    expect(bench.count("Connect")).toBe(0);
  });

  it("is waited for when scanning has just begun", async () => {
    const next = await rig.open();
    const reading = next.read(station(ADDRESS), [TEMPERATURE], UNTIL_ABORTED);
    await bench.answered();
    await rig.clock.advance(4000);
    rig.bluez.speak(ADDRESS, { rssi: -50 });
    expect(await reading).toMatchObject([{ quality: "good" }]);
  });

  it("is not waited for longer than a device may take to be heard, nor when nobody asks any more", async () => {
    const next = await rig.open();
    const reading = next.read(station("C0:00:00:00:00:03"), [TEMPERATURE], UNTIL_ABORTED);
    const asking = new AbortController();
    const given = next.read(station("C0:00:00:00:00:04"), [TEMPERATURE], asking.signal);
    await bench.answered();
    asking.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    await rig.clock.advance(10_000);
    expect(await reading).toMatchObject([
      { quality: "timeout", reason: expect.stringContaining("not advertised yet") },
    ]);
  });

  const silent: readonly Temper[] = ["absent", "never-resolves"];
  it.each(silent)("costs one time-out, and is let go (%s)", async (temper) => {
    device.temper = temper;
    const readings = await bench.readLate(15_000, () => bench.count("Connect") === 1);
    expect(readings).toMatchObject([
      { quality: "timeout", reason: `${ADDRESS} could not be connected within 15000 ms` },
    ]);
    expect(bench.count("Disconnect")).toBe(1);
    expect(rig.bluez.isScanning).toBe(true);
    device.temper = "good";
    expect(await bench.read(TEMPERATURE)).toMatchObject([{ reason: `${ADDRESS} has not advertised for 15 s` }]);
    expect(bench.count("Connect")).toBe(1);
    await bench.advertise();
    expect(await bench.read(TEMPERATURE)).toMatchObject([{ quality: "good" }]);
  });

  it("may break off while it is being connected", async () => {
    device.temper = "breaks-off";
    expect(await bench.read(TEMPERATURE)).toMatchObject([
      { quality: "timeout", reason: `${ADDRESS} broke the connection off` },
    ]);
    expect(rig.bluez.isScanning).toBe(true);
  });

  it("may break off when it has just been connected", async () => {
    device.temper = "breaks-off-late";
    expect(await bench.read(TEMPERATURE)).toMatchObject([{ quality: "timeout" }]);
    device.temper = "good";
    await bench.advertise();
    expect(await bench.read(TEMPERATURE)).toMatchObject([{ quality: "good" }]);
  });

  it("may leave a request unanswered, and is connected anew for the next", async () => {
    await bench.read(TEMPERATURE);
    device.temper = "mute";
    expect(await bench.readLate(5000, () => bench.count("ReadValue") === 2)).toMatchObject([{ quality: "timeout" }]);
    expect(rig.bluez.isConnected(ADDRESS)).toBe(false);
    device.temper = "good";
    expect(await bench.read(TEMPERATURE)).toMatchObject([{ quality: "good" }]);
  });

  it("may leave a write unanswered", async () => {
    await bench.read(TEMPERATURE);
    device.temper = "mute";
    const failed = expect(link.write(station(ADDRESS), SETPOINT, 1, UNTIL_ABORTED)).rejects.toMatchObject({
      code: "FIELD_TIMEOUT",
    });
    await until(() => bench.count("WriteValue") === 1);
    await rig.clock.advance(5000);
    await failed;
    expect(rig.bluez.isConnected(ADDRESS)).toBe(false);
  });

  it("is waited for in turn, and no longer than the asker wants", async () => {
    device.temper = "absent";
    const first = bench.read(TEMPERATURE);
    await until(() => bench.count("Connect") === 1);
    const ending = new AbortController();
    const second = link.read(station(OTHER), [TEMPERATURE], ending.signal);
    ending.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    await rig.clock.advance(15_000);
    expect(await first).toMatchObject([{ quality: "timeout" }]);
  });

  it("is known by objects that come after the word that they are there", async () => {
    device.temper = "late-objects";
    expect(await bench.read(TEMPERATURE)).toMatchObject([{ quality: "good", value: 2500 }]);
  });

  it("rejects with the link when bluetoothd ends meanwhile", async () => {
    device.temper = "absent";
    const reading = bench.read(TEMPERATURE);
    await until(() => bench.count("Connect") === 1);
    await rig.bluez.leave();
    await link.closed;
    await link[Symbol.asyncDispose]();
    await expect(reading).rejects.toMatchObject({ code: expect.stringMatching(/^LINK_/) });
    expect(rig.clock.pendingCount).toBe(0);
  });
});
