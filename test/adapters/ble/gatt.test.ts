import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BlePoint } from "../../../adapters/ble/options.js";
import { fromHex } from "../../../src/base/bytes.js";
import type { Point } from "../../../src/field/adapter.js";
import type { Reading } from "../../../src/field/reading.js";
import type { FakeCharacteristic, FakeDevice, Temper } from "../../fakes/bluez/bluez.js";
import { point, station, uuid } from "./points.js";
import { type BleLink, BleRig, until } from "./rig.js";

const ADDRESS = "C0:00:00:00:00:01";
const PATH = "/org/bluez/hci0/dev_C0_00_00_00_00_01";
const OTHER = "C0:00:00:00:00:02";
const SERVICE = uuid("181a");
const UNTIL_ABORTED = new AbortController().signal;

const GATT = { service: SERVICE, characteristic: uuid("2a6e") };
const TEMPERATURE = point("temperature", { at: { gatt: GATT }, type: "int16" });
const LOW = point("low", { at: { gatt: GATT }, type: "uint8" });
const SETPOINT_GATT = { service: SERVICE, characteristic: uuid("2a1c") };
const SETPOINT = point("setpoint", { at: { gatt: SETPOINT_GATT }, type: "int16", order: "big" }, "rw");
const NOTIFIED = point("live", { at: { gatt: GATT, mode: "notify" }, type: "int16" });

let rig: BleRig;
let link: BleLink;
let device: FakeDevice;
let temperature: FakeCharacteristic;
beforeEach(async () => {
  rig = await BleRig.start();
  link = await rig.open();
  temperature = { uuid: GATT.characteristic, value: fromHex("c409") };
  const setpoint = { uuid: SETPOINT_GATT.characteristic, value: fromHex("00c8") };
  device = rig.bluez.device(ADDRESS, [{ uuid: SERVICE, characteristics: [temperature, setpoint] }]);
  await advertise();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

/** The device is heard; somebody else's word shows that it has arrived. */
async function advertise(): Promise<void> {
  const { told, stop } = await rig.watch(link, station(OTHER), [point("rssi", { at: { radio: "rssi" } })]);
  rig.bluez.speak(ADDRESS, { rssi: -50 });
  rig.bluez.speak(OTHER, { rssi: -50 });
  await until(() => told.length > 0);
  stop();
}

async function read(...points: readonly Point<BlePoint>[]): Promise<readonly Reading[]> {
  return await link.read(station(ADDRESS), points, UNTIL_ABORTED);
}

/** Lets time go by for a read that has to wait for it. */
async function readLate(ms: number, started: () => boolean): Promise<readonly Reading[]> {
  const reading = read(TEMPERATURE);
  await until(started);
  // Nothing but the device itself may be waited for when time goes by.
  for (let trip = 0; trip < 5; trip++) await rig.bluez.flush();
  await rig.clock.advance(ms);
  return await reading;
}

function count(call: string): number {
  return rig.bluez.calls.filter((one) => one.startsWith(call)).length;
}

describe("characteristics", () => {
  it("are read over a connection that is set up without scanning, and kept", async () => {
    rig.bluez.calls.splice(0);
    const atMs = rig.clock.nowMs();
    expect(await read(TEMPERATURE, LOW)).toEqual([
      { point: "temperature", atMs, quality: "good", value: 2500 },
      { point: "low", atMs, quality: "good", value: 0xc4 },
    ]);
    await read(TEMPERATURE);
    expect(rig.bluez.calls).toEqual([
      "StopDiscovery /org/bluez/hci0",
      `Connect ${PATH}`,
      "StartDiscovery /org/bluez/hci0",
      `ReadValue ${PATH}/service0000/char0000`,
      `ReadValue ${PATH}/service0000/char0000`,
    ]);
  });

  it("are read over a connection that was left behind", async () => {
    await read(TEMPERATURE);
    const next = await rig.open();
    await rig.clock.advance(20_000);
    expect(await next.read(station(ADDRESS), [TEMPERATURE], UNTIL_ABORTED)).toMatchObject([{ quality: "good" }]);
  });

  it("cost the device nothing when nobody asks for half a minute", async () => {
    await read(TEMPERATURE);
    await rig.clock.advance(29_000);
    await read(TEMPERATURE);
    await rig.clock.advance(29_000);
    expect(rig.bluez.isConnected(ADDRESS)).toBe(true);
    await rig.clock.advance(1000);
    await until(() => !rig.bluez.isConnected(ADDRESS));
    await advertise();
    expect(await read(TEMPERATURE)).toMatchObject([{ quality: "good" }]);
  });

  it("are written with a response and without, in their own order of bytes", async () => {
    await link.write(station(ADDRESS), SETPOINT, -2, UNTIL_ABORTED);
    expect(await read(SETPOINT)).toMatchObject([{ value: -2 }]);
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
    expect(await read(TEMPERATURE, absent)).toMatchObject([{ quality: "good" }, { quality: "unsupported" }]);
    temperature.refuses = "org.bluez.Error.NotPermitted";
    expect(await read(TEMPERATURE, SETPOINT)).toMatchObject([{ quality: "unsupported" }, { quality: "good" }]);
    temperature.refuses = "org.bluez.Error.NotAuthorized";
    expect(await read(TEMPERATURE)).toMatchObject([{ quality: "exception" }]);
    const writing = link.write(station(ADDRESS), { ...TEMPERATURE, access: "rw" }, 1, UNTIL_ABORTED);
    await expect(writing).rejects.toMatchObject({ code: "FIELD_EXCEPTION" });
    temperature.refuses = "org.bluez.Error.NotSupported";
    const refused = link.write(station(ADDRESS), { ...TEMPERATURE, access: "rw" }, 1, UNTIL_ABORTED);
    await expect(refused).rejects.toMatchObject({ code: "FIELD_NOT_WRITABLE" });
  });

  it("may be shorter than the profile says", async () => {
    temperature.value = fromHex("c4");
    expect(await read(TEMPERATURE)).toMatchObject([{ quality: "invalid", reason: "1 bytes have no int16 at byte 0" }]);
  });
});

describe("a device that cannot be had", () => {
  it("is not tried when it was not heard for half a minute", async () => {
    await rig.clock.advance(30_000);
    expect(await read(TEMPERATURE)).toMatchObject([
      { quality: "timeout", reason: `${ADDRESS} has not advertised for 30 s` },
    ]);
    expect(await link.read(station("C0:00:00:00:00:03"), [TEMPERATURE], UNTIL_ABORTED)).toMatchObject([
      { quality: "timeout", reason: "C0:00:00:00:00:03 has not advertised yet" },
    ]);
    expect(count("Connect")).toBe(0);
  });

  const silent: readonly Temper[] = ["absent", "never-resolves"];
  it.each(silent)("costs one time-out, and is let go (%s)", async (temper) => {
    device.temper = temper;
    const readings = await readLate(15_000, () => count("Connect") === 1);
    expect(readings).toMatchObject([
      { quality: "timeout", reason: `${ADDRESS} could not be connected within 15000 ms` },
    ]);
    expect(count("Disconnect")).toBe(1);
    expect(rig.bluez.isScanning).toBe(true);
    device.temper = "good";
    expect(await read(TEMPERATURE)).toMatchObject([{ reason: `${ADDRESS} has not advertised for 15 s` }]);
    expect(count("Connect")).toBe(1);
    await advertise();
    expect(await read(TEMPERATURE)).toMatchObject([{ quality: "good" }]);
  });

  it("may break off while it is being connected", async () => {
    device.temper = "breaks-off";
    expect(await read(TEMPERATURE)).toMatchObject([
      { quality: "timeout", reason: `${ADDRESS} broke the connection off` },
    ]);
    expect(rig.bluez.isScanning).toBe(true);
  });

  it("may break off when it has just been connected", async () => {
    device.temper = "breaks-off-late";
    expect(await read(TEMPERATURE)).toMatchObject([{ quality: "timeout" }]);
    device.temper = "good";
    await advertise();
    expect(await read(TEMPERATURE)).toMatchObject([{ quality: "good" }]);
  });

  it("may leave a request unanswered, and is connected anew for the next", async () => {
    await read(TEMPERATURE);
    device.temper = "mute";
    expect(await readLate(5000, () => count("ReadValue") === 2)).toMatchObject([{ quality: "timeout" }]);
    expect(rig.bluez.isConnected(ADDRESS)).toBe(false);
    device.temper = "good";
    expect(await read(TEMPERATURE)).toMatchObject([{ quality: "good" }]);
  });

  it("may leave a write unanswered", async () => {
    await read(TEMPERATURE);
    device.temper = "mute";
    const failed = expect(link.write(station(ADDRESS), SETPOINT, 1, UNTIL_ABORTED)).rejects.toMatchObject({
      code: "FIELD_TIMEOUT",
    });
    await until(() => count("WriteValue") === 1);
    await rig.clock.advance(5000);
    await failed;
    expect(rig.bluez.isConnected(ADDRESS)).toBe(false);
  });

  it("is waited for in turn, and no longer than the asker wants", async () => {
    device.temper = "absent";
    const first = read(TEMPERATURE);
    await until(() => count("Connect") === 1);
    const ending = new AbortController();
    const second = link.read(station(OTHER), [TEMPERATURE], ending.signal);
    ending.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    await rig.clock.advance(15_000);
    expect(await first).toMatchObject([{ quality: "timeout" }]);
  });

  it("is known by objects that come after the word that they are there", async () => {
    device.temper = "late-objects";
    expect(await read(TEMPERATURE)).toMatchObject([{ quality: "good", value: 2500 }]);
  });

  it("rejects with the link when bluetoothd ends meanwhile", async () => {
    device.temper = "absent";
    const reading = read(TEMPERATURE);
    await until(() => count("Connect") === 1);
    await rig.bluez.leave();
    await link.closed;
    await link[Symbol.asyncDispose]();
    await expect(reading).rejects.toMatchObject({ code: expect.stringMatching(/^LINK_/) });
    expect(rig.clock.pendingCount).toBe(0);
  });
});

describe("notifications", () => {
  beforeEach(() => {
    // So that what is heard was told.
    temperature.refuses = "org.bluez.Error.NotPermitted";
  });

  it("begin with the value as it is, where it can be read, which is asked for again after two quiet minutes", async () => {
    delete temperature.refuses;
    const { told } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => told.length === 1);
    rig.bluez.notify(ADDRESS, GATT.characteristic, fromHex("c509"));
    await until(() => told.length === 2);
    await until(() => rig.clock.pendingCount === 2);
    await rig.clock.advance(120_000);
    expect(count("ReadValue")).toBe(1);
    temperature.value = fromHex("c609");
    await rig.clock.advance(120_000);
    await until(() => told.length === 3);
    expect(told.map((reading) => "value" in reading && reading.value)).toEqual([2500, 2501, 2502]);
  });

  it("of a device that does not answer any more lead to a new connection", async () => {
    delete temperature.refuses;
    device.temper = "mute";
    await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => count("StartNotify") === 1);
    await rig.clock.advance(5000);
    await until(() => !rig.bluez.isConnected(ADDRESS));
  });

  it("are heard as they come", async () => {
    const { told } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => count("StartNotify") === 1);
    rig.bluez.notify(ADDRESS, GATT.characteristic, fromHex("c509"));
    rig.bluez.notify(ADDRESS, GATT.characteristic, fromHex("9cff"));
    await until(() => told.length === 2);
    expect(told.map((reading) => "value" in reading && reading.value)).toEqual([2501, -100]);
    await rig.clock.advance(3_600_000);
    expect(rig.bluez.isConnected(ADDRESS)).toBe(true);
  });

  it("go on when a request was left unanswered and the device was connected anew for it", async () => {
    const { told } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    // It waits for quiet: its own question was answered.
    await until(() => count("ReadValue") === 1 && rig.clock.pendingCount === 2);
    device.temper = "mute";
    expect(await readLate(5000, () => count("ReadValue") === 2)).toMatchObject([{ quality: "timeout" }]);
    device.temper = "good";
    await advertise();
    await rig.clock.advance(1000);
    await until(() => count("StartNotify") === 2);
    rig.bluez.notify(ADDRESS, GATT.characteristic, fromHex("c509"));
    await until(() => told.length === 1);
  });

  it("that the device does not make are told as unsupported", async () => {
    rig.bluez.refusals.set("StartNotify", "org.bluez.Error.NotSupported");
    const { told } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => told.length === 1);
    expect(told).toMatchObject([{ point: "live", quality: "unsupported" }]);
  });

  it("come back after a lost connection, which is not told of when it is short", async () => {
    const { told, gone } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    for (let round = 1; round <= 50; round++) {
      await until(() => count("StartNotify") === round);
      rig.bluez.notify(ADDRESS, GATT.characteristic, fromHex("0100"));
      await until(() => told.length === round);
      rig.bluez.drop(ADDRESS);
      rig.bluez.speak(ADDRESS, { rssi: -50 });
      // The pause before the next attempt, beside the grace and the watch over the scan.
      await until(() => rig.clock.pendingCount === 3);
      await rig.clock.advance(1000);
    }
    await until(() => count("StartNotify") === 51);
    rig.bluez.notify(ADDRESS, GATT.characteristic, fromHex("0200"));
    await until(() => told.length > 50);
    expect(told).toHaveLength(51);
    expect(gone).toEqual([]);
    await until(() => rig.clock.pendingCount === 2);
  });

  it("leave a device gone when it does not come back, and are tried for ever more seldom", async () => {
    const { gone } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => count("StartNotify") === 1);
    device.temper = "breaks-off";
    rig.bluez.drop(ADDRESS);
    await until(() => rig.clock.pendingCount === 3);
    for (let attempts = 2; attempts <= 5; attempts++) {
      rig.bluez.speak(ADDRESS, { rssi: -50 });
      await rig.clock.advance(1000 * 2 ** (attempts - 2));
      await until(() => count("Connect") === attempts && count("Disconnect") === attempts - 1);
      // The pause before the next.
      await until(() => rig.clock.pendingCount === (gone.length > 0 ? 2 : 3));
    }
    await rig.clock.advance(15_000);
    expect(count("Connect")).toBe(5);
    expect(gone).toEqual([`${ADDRESS} broke the connection off`]);
  });

  it("end when nobody wants them any more", async () => {
    const { stop } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => count("StartNotify") === 1);
    stop();
    await until(() => rig.clock.pendingCount === 2);
    await rig.clock.advance(30_000);
    await until(() => !rig.bluez.isConnected(ADDRESS));
  });

  it("end with the link, which lets the device go", async () => {
    await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => count("StartNotify") === 1);
    await link[Symbol.asyncDispose]();
    expect(rig.bluez.isConnected(ADDRESS)).toBe(false);
    expect(rig.clock.pendingCount).toBe(0);
  });
});
