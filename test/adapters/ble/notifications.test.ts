import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Peripheral, PeripheralCharacteristic } from "../../../adapters/ble/simulator/peripheral.js";
import { fromHex } from "../../../src/base/bytes.js";
import { ADDRESS, GATT, GattBench } from "./gatt-bench.js";
import { point, station } from "./points.js";
import { type BleLink, type BleRig, until } from "./rig.js";

const NOTIFIED = point("live", { at: { gatt: GATT, mode: "notify" }, type: "int16" });

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
    expect(bench.count("ReadValue")).toBe(1);
    temperature.value = fromHex("c609");
    await rig.clock.advance(120_000);
    await until(() => told.length === 3);
    expect(told.map((reading) => "value" in reading && reading.value)).toEqual([2500, 2501, 2502]);
  });

  it("of a device that does not answer any more lead to a new connection", async () => {
    delete temperature.refuses;
    device.temper = "mute";
    await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => bench.count("StartNotify") === 1);
    await rig.clock.advance(5000);
    await until(() => !rig.bluez.isConnected(ADDRESS));
  });

  it("are heard as they come", async () => {
    const { told } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => bench.count("StartNotify") === 1);
    rig.bluez.notify(ADDRESS, GATT.characteristic, fromHex("c509"));
    rig.bluez.notify(ADDRESS, GATT.characteristic, fromHex("9cff"));
    await until(() => told.length === 2);
    expect(told.map((reading) => "value" in reading && reading.value)).toEqual([2501, -100]);
    await bench.answered();
    await rig.clock.advance(3_600_000);
    expect(rig.bluez.isConnected(ADDRESS)).toBe(true);
  });

  it("go on when a request was left unanswered and the device was connected anew for it", async () => {
    const { told } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    // It waits for quiet: its own question was answered.
    await until(() => bench.count("ReadValue") === 1 && rig.clock.pendingCount === 2);
    device.temper = "mute";
    expect(await bench.readLate(5000, () => bench.count("ReadValue") === 2)).toMatchObject([{ quality: "timeout" }]);
    device.temper = "good";
    await bench.advertise();
    await rig.clock.advance(1000);
    await until(() => bench.count("StartNotify") === 2);
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
      await until(() => bench.count("StartNotify") === round);
      rig.bluez.notify(ADDRESS, GATT.characteristic, fromHex("0100"));
      await until(() => told.length === round);
      rig.bluez.drop(ADDRESS);
      rig.bluez.speak(ADDRESS, { rssi: -50 });
      // The pause before the next attempt, beside the grace and the watch over the scan.
      await until(() => rig.clock.pendingCount === 3);
      await rig.clock.advance(1000);
    }
    await until(() => bench.count("StartNotify") === 51);
    rig.bluez.notify(ADDRESS, GATT.characteristic, fromHex("0200"));
    await until(() => told.length > 50);
    expect(told).toHaveLength(51);
    expect(gone).toEqual([]);
    await until(() => rig.clock.pendingCount === 2);
  });

  it("leave a device gone when it does not come back, and are tried for ever more seldom", async () => {
    const { gone } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    // It waits for quiet: its own question was answered.
    await until(() => bench.count("ReadValue") === 1 && rig.clock.pendingCount === 2);
    device.temper = "breaks-off";
    rig.bluez.drop(ADDRESS);
    await until(() => rig.clock.pendingCount === 3);
    for (let attempts = 2; attempts <= 5; attempts++) {
      rig.bluez.speak(ADDRESS, { rssi: -50 });
      await rig.clock.advance(1000 * 2 ** (attempts - 2));
      await until(() => bench.count("Connect") === attempts && bench.count("Disconnect") === attempts - 1);
      // The pause before the next.
      await until(() => rig.clock.pendingCount === (gone.length > 0 ? 2 : 3));
    }
    await rig.clock.advance(15_000);
    expect(bench.count("Connect")).toBe(5);
    expect(gone).toEqual([`${ADDRESS} broke the connection off`]);
  });

  it("leave a device gone that is lost while it is asked", async () => {
    delete temperature.refuses;
    const { told, gone } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => told.length === 1 && rig.clock.pendingCount === 2);
    device.temper = "mute";
    await rig.clock.advance(120_000);
    await until(() => bench.count("ReadValue") === 2);
    rig.bluez.drop(ADDRESS);
    // The pause before the next attempt, beside the grace and the watch over the scan.
    await until(() => rig.clock.pendingCount === 3);
    await rig.clock.advance(15_000);
    expect(gone).toHaveLength(1);
  });

  it("end when nobody wants them any more", async () => {
    const { stop } = await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => bench.count("StartNotify") === 1);
    stop();
    await until(() => rig.clock.pendingCount === 2);
    await rig.clock.advance(30_000);
    await until(() => !rig.bluez.isConnected(ADDRESS));
  });

  it("end with the link, which lets the device go", async () => {
    await rig.watch(link, station(ADDRESS), [NOTIFIED]);
    await until(() => bench.count("StartNotify") === 1);
    await link[Symbol.asyncDispose]();
    expect(rig.bluez.isConnected(ADDRESS)).toBe(false);
    expect(rig.clock.pendingCount).toBe(0);
  });
});
