import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import bleAdapter from "../../../adapters/ble/index.js";
import { scanTool } from "../../../adapters/ble/scan.js";
import { fromHex } from "../../../src/base/bytes.js";
import { silentLog } from "../../../src/base/log.js";
import type { Finding, ProfileCandidate } from "../../../src/field/tool.js";
import { loadModels } from "../../../src/lwm2m/model/models.js";
import { profileCandidate } from "../../../src/mapping/candidate.js";
import { ProfileShelf, shippedMappings } from "../../../src/mapping/profiles.js";
import { uuid } from "./points.js";
import { BleRig, until } from "./rig.js";

let profiles: ProfileCandidate<never>[];
beforeAll(async () => {
  const shelf = await ProfileShelf.open([shippedMappings()], new Map([["ble", bleAdapter]]), await loadModels());
  const names = shelf.names.filter((name) => shelf.adapterOf(name) === "ble");
  const read = await Promise.all(names.map((name) => shelf.read(name)));
  profiles = read.flatMap((one) => (one?.profile === undefined ? [] : [profileCandidate(one.profile) as never]));
});

let rig: BleRig;
let found: Finding[];
let progress: string[];
let stop: AbortController;
beforeEach(async () => {
  rig = await BleRig.start();
  found = [];
  progress = [];
  stop = new AbortController();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

function scan(values: Readonly<Record<string, string>>): Promise<void> {
  const context = {
    clock: rig.clock,
    log: silentLog,
    profiles,
    found: (...some: readonly Finding[]) => void found.push(...some),
    progress: (text: string) => void progress.push(text),
  };
  return scanTool.run({ values, positionals: [] }, context, stop.signal);
}

describe("scan ble", () => {
  it("tells devices, the nearest first, and what fits them", async () => {
    const scanning = scan({ seconds: "5" });
    await until(() => progress.length === 1);
    const [ruuvi, button, sealed, govee, phone] = ["01", "02", "03", "04", "05"].map((end) => `C0:00:00:00:00:${end}`);
    rig.bluez.device(String(govee), [], "GVH5075_DBF8");
    const fcd2 = (hex: string) => ({ [uuid("fcd2")]: fromHex(hex) });
    rig.bluez.speak(String(phone), { rssi: -40, manufacturer: { 76: fromHex("10050B1C") } });
    rig.bluez.speak(String(ruuvi), {
      rssi: -70,
      manufacturer: { 1177: fromHex("0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F") },
    });
    rig.bluez.speak(String(button), { rssi: -60, services: fcd2("44000101643A01") });
    rig.bluez.speak(String(button), { rssi: -61, services: fcd2("44000201643A02") });
    rig.bluez.speak(String(sealed), { rssi: -80, services: fcd2("41E445F3C9962B332211006C7C4519") });
    rig.bluez.speak(String(govee), { rssi: -90, manufacturer: { 60552: fromHex("00034DB26400") } });
    await until(() => progress.length === 7);
    await rig.clock.advance(5000);
    await scanning;
    expect(progress.at(-1)).toBe("5 devices");
    expect(found.map(({ address, profile, points, data }) => [address, profile, points, data])).toEqual([
      [button, "bthome-button", "3 of 3", ["service fcd2"]],
      [ruuvi, "ruuvi-rawv2", "8 of 8", ["company 0x0499"]],
      [sealed, expect.stringContaining("bthome-"), "needs 'key'", ["service fcd2"]],
      [govee, "govee-h5075", "3 of 3", ["company 0xec88"]],
      [phone, undefined, undefined, ["company 0x004c: 10050b1c"]],
    ]);
    expect(found[0]).toMatchObject({ heard: 2, rssi: -61, ageS: 5 });
    expect(found[3]).toMatchObject({ name: "GVH5075_DBF8" });
    expect(rig.bluez.isScanning).toBe(false);
  });

  it("shows what it heard when it is stopped", async () => {
    const scanning = scan({});
    await until(() => progress.length === 1);
    rig.bluez.speak("C0:00:00:00:00:01", { rssi: -40 });
    await until(() => progress.length === 2);
    stop.abort(new Error("stopped"));
    await scanning;
    expect(found).toMatchObject([{ address: "C0:00:00:00:00:01", rssi: -40, data: [] }]);
  });

  it("says what is wrong with Bluetooth, and with its arguments", async () => {
    await expect(scan({ seconds: "x" })).rejects.toMatchObject({ code: "USAGE" });
    await expect(scan({ controller: "hci7" })).rejects.toMatchObject({ code: "LINK_NO_CONTROLLER" });
    await expect(scan({ bus: "unix:path=/nowhere" })).rejects.toMatchObject({ code: "LINK_NO_DBUS" });
    const failed = expect(scan({})).rejects.toMatchObject({ code: "LINK_NO_BLUETOOTHD" });
    await until(() => progress.length === 1);
    await rig.bluez.leave();
    await failed;
  });
});
