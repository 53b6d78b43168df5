import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PrivateBus } from "../../../adapters/ble/simulator/private-bus.js";
import { fromHex } from "../../../src/base/bytes.js";
import type { CausewayError } from "../../../src/base/errors.js";
import { point, station, uuid } from "./points.js";
import { BleRig, until } from "./rig.js";

const RUUVI = "CB:B8:33:4C:88:4F";
const FRAME = fromHex("0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F");
const TEMPERATURE = point("temperature", {
  at: { manufacturer: 0x0499, match: "05", byte: 1, sequence: { byte: 16, type: "uint16", order: "big" } },
  type: "int16",
  order: "big",
});
const RSSI = point("rssi", { at: { radio: "rssi" } });

let rig: BleRig;
beforeEach(async () => {
  rig = await BleRig.start();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

function frame(sequence: number): Uint8Array {
  const bytes = FRAME.slice();
  bytes[16] = sequence >> 8;
  bytes[17] = sequence & 0xff;
  return bytes;
}

describe("what devices advertise", () => {
  it("is heard from the first word on, once per packet", async () => {
    const link = await rig.open();
    expect(rig.bluez.isScanning).toBe(true);
    const { told } = await rig.watch(link, station(RUUVI), [TEMPERATURE, RSSI]);
    rig.bluez.device(RUUVI);
    rig.bluez.speak(RUUVI, { rssi: -70, manufacturer: { 1177: frame(1) } });
    await until(() => told.length === 2);
    rig.bluez.speak(RUUVI, { rssi: -71, manufacturer: { 1177: frame(1) } });
    rig.bluez.speak(RUUVI, { rssi: -72, manufacturer: { 1177: frame(2) } });
    await until(() => told.length === 4);
    const atMs = rig.clock.nowMs();
    expect(told).toEqual([
      { point: "temperature", atMs, quality: "good", value: 4860 },
      { point: "rssi", atMs, quality: "good", value: -70 },
      { point: "temperature", atMs, quality: "good", value: 4860 },
      { point: "rssi", atMs, quality: "good", value: -72 },
    ]);
    expect(link.trace?.().length).toBe(3);
  });

  it("is not what BlueZ remembers from before", async () => {
    rig.bluez.device(RUUVI);
    rig.bluez.speak(RUUVI, { rssi: -70, manufacturer: { 1177: frame(1) } });
    const link = await rig.open();
    const { told } = await rig.watch(link, station(RUUVI), [TEMPERATURE]);
    rig.bluez.speak(RUUVI, { rssi: -70 });
    rig.bluez.speak(RUUVI, { manufacturer: { 1177: frame(2) } });
    await until(() => told.length > 0);
    expect(told).toHaveLength(1);
  });

  it("may be under a company identifier that changes, of which BlueZ keeps the old ones", async () => {
    const address = "49:42:01:00:00:01";
    const link = await rig.open();
    const at = { manufacturer: "any", length: 9 } as const;
    const { told } = await rig.watch(link, station(address), [point("temperature", { at, type: "int16" })]);
    rig.bluez.device(address, [], "sps");
    const rest = fromHex("C71200C83D5606");
    rig.bluez.speak(address, { manufacturer: { 2044: rest } });
    rig.bluez.speak(address, { manufacturer: { 2032: rest } });
    rig.bluez.speak(address, { manufacturer: { 2032: rest } });
    rig.bluez.speak(address, { manufacturer: { 2044: fromHex("C81200C83D5606") } });
    await until(() => told.length === 4);
    expect(told.map((reading) => "value" in reading && reading.value)).toEqual([2044, 2032, 2032, 2044]);
  });

  it("reaches those who watch the device, until they stop, and nobody else", async () => {
    const link = await rig.open();
    const bthome = { services: { [uuid("fcd2")]: fromHex("4002CA09") } };
    const other = "C0:00:00:00:00:01";
    const points = [point("temperature", { at: { bthome: "temperature" } })];
    const first = await rig.watch(link, station(RUUVI), points);
    const second = await rig.watch(link, station(other), points);
    for (const address of [RUUVI, other]) rig.bluez.speak(address, bthome);
    await until(() => first.told.length + second.told.length === 2);
    first.stop();
    for (const address of [RUUVI, other]) rig.bluez.speak(address, bthome);
    await until(() => second.told.length === 2);
    expect(first.told).toHaveLength(1);
  });

  it("may come a thousand times, in order", async () => {
    const link = await rig.open();
    const sequence = point("n", { at: { manufacturer: 0x0499, byte: 16 }, type: "uint16", order: "big" });
    const { told } = await rig.watch(link, station(RUUVI), [sequence]);
    for (let n = 0; n < 1000; n++) rig.bluez.speak(RUUVI, { rssi: -70, manufacturer: { 1177: frame(n) } });
    await until(() => told.length === 1000);
    expect(told.map((reading) => "value" in reading && reading.value)).toEqual(
      Array.from({ length: 1000 }, (_, n) => n),
    );
    expect(rig.clock.pendingCount).toBeLessThan(5);
  });

  it("needs a key that is one, which is not shown", async () => {
    const link = await rig.open();
    const points = [point("temperature", { at: { bthome: "temperature" } })];
    const wrong = rig.watch(link, station(RUUVI, "secret!"), points);
    await expect(wrong).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await expect(wrong).rejects.not.toThrow("secret!");
  });
});

describe("the scan", () => {
  it("asks for low energy, with repeated packets unless they are not wanted", async () => {
    await rig.open();
    expect(rig.bluez.calls).toEqual(["SetDiscoveryFilter /org/bluez/hci0", "StartDiscovery /org/bluez/hci0"]);
  });

  it("is taken up again when somebody ends it", async () => {
    await rig.open();
    rig.bluez.stopScanning();
    await until(() => rig.clock.pendingCount === 2);
    await rig.clock.advance(1000);
    await until(() => rig.bluez.isScanning);
  });

  it("is begun anew where nothing is heard for two minutes", async () => {
    await rig.open();
    await rig.clock.advance(120_000);
    await until(() => rig.bluez.calls.filter((call) => call.startsWith("StartDiscovery")).length === 2);
    expect(rig.bluez.isScanning).toBe(true);
  });

  it("ends with the link", async () => {
    const link = await rig.open();
    await link[Symbol.asyncDispose]();
    expect(rig.bluez.isScanning).toBe(false);
    expect(rig.clock.pendingCount).toBe(0);
  });
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "none",
    (error: CausewayError) => error.code,
  );
}

describe("a link that cannot be opened", () => {
  it("says that D-Bus is not there", async () => {
    await rig.bus.kill();
    expect(await codeOf(rig.open())).toBe("LINK_NO_DBUS");
  });

  it("says that the user may not", async () => {
    await using closed = await PrivateBus.start('<deny user="*"/>');
    process.env["DBUS_SYSTEM_BUS_ADDRESS"] = closed.address;
    expect(await codeOf(rig.open())).toBe("LINK_NO_DBUS");
    await using strict = await PrivateBus.start('<deny send_destination="org.bluez"/>');
    process.env["DBUS_SYSTEM_BUS_ADDRESS"] = strict.address;
    await rig.bluez.join(strict.address);
    expect(await codeOf(rig.open())).toBe("LINK_BLUETOOTH_DENIED");
  });

  it("says that bluetoothd does not run", async () => {
    await rig.bluez.leave();
    expect(await codeOf(rig.open())).toBe("LINK_NO_BLUETOOTHD");
  });

  it("says that there is no such controller, and which there are", async () => {
    await expect(rig.open({ controller: "hci1" })).rejects.toMatchObject({
      code: "LINK_NO_CONTROLLER",
      message: "no controller hci1; there are: hci0",
    });
    await rig.open({ controller: "00:11:22:33:44:55" });
    rig.bluez.removeController();
    expect(await codeOf(rig.open())).toBe("LINK_NO_CONTROLLER");
  });

  it("says that the controller is off", async () => {
    rig.bluez.setPowered(false);
    expect(await codeOf(rig.open())).toBe("LINK_CONTROLLER_OFF");
  });

  it("ends with the signal, and when the bus says nothing", async () => {
    const ending = new AbortController();
    ending.abort(new Error("enough"));
    await expect(rig.open({}, ending.signal)).rejects.toThrow("enough");
    rig.bluez.refusals.set("StartDiscovery", "org.bluez.Error.NotReady");
    expect(await codeOf(rig.open())).toBe("LINK_CONTROLLER_OFF");
    expect(rig.clock.pendingCount).toBe(0);
  });
});

describe("a link ends", () => {
  const cases: readonly (readonly [what: string, happens: () => unknown, code: string])[] = [
    ["when bluetoothd ends", () => rig.bluez.leave(), "LINK_NO_BLUETOOTHD"],
    ["when the controller is taken away", () => rig.bluez.removeController(), "LINK_NO_CONTROLLER"],
    ["when the controller is switched off", () => rig.bluez.setPowered(false), "LINK_CONTROLLER_OFF"],
    ["when D-Bus ends", () => rig.bus.kill(), "LINK_NO_DBUS"],
  ];

  it.each(cases)("%s", async (_what, happens, code) => {
    const link = await rig.open();
    const { told } = await rig.watch(link, station(RUUVI), [TEMPERATURE]);
    await happens();
    expect(await link.closed).toMatchObject({ code });
    await link[Symbol.asyncDispose]();
    expect(told).toEqual([]);
    expect(rig.clock.pendingCount).toBe(0);
  });
});
