import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fromHex } from "../../../src/base/bytes.js";
import { createLog } from "../../../src/base/log.js";
import { Scope } from "../../../src/base/scope.js";
import { type Field, openField } from "../../../src/field/field.js";
import { defineAdapter, type Reading } from "../../../src/field/index.js";
import { point, uuid } from "./points.js";
import { BleRig, until } from "./rig.js";

const SENSOR = "A4:C1:38:00:00:01";
const DEVICE = "A4:C1:38:00:00:02";
const GATT = { service: uuid("181a"), characteristic: uuid("2a6e") };

let rig: BleRig;
let scope: Scope;
let field: Field;
let last: Map<string, Reading>;
let logged: { msg: string; code?: string }[];
beforeEach(async () => {
  rig = await BleRig.start();
  scope = new Scope((error) => {
    throw error;
  });
  last = new Map();
  logged = [];
  rig.bluez.device(SENSOR);
  rig.bluez.device(DEVICE, [
    { uuid: GATT.service, characteristics: [{ uuid: GATT.characteristic, value: fromHex("c409") }] },
  ]);
  const device = (name: string, address: string, at: Parameters<typeof point>[1]) => ({
    name,
    link: "ble",
    address: { address },
    traits: {},
    points: [point(name, at, at.at.gatt === undefined ? "r" : "rw")],
    poll: { fastMs: 1000, normalMs: 10_000, slowMs: 60_000 },
  });
  field = await openField(
    {
      links: [{ name: "ble", adapter: "ble", options: {} }],
      devices: [
        device("heard", SENSOR, { at: { bthome: "temperature" } }),
        device("told", DEVICE, { at: { gatt: GATT, mode: "notify" }, type: "int16" }),
      ],
      loadAdapter: async () => defineAdapter(rig.adapter),
      clock: rig.clock,
      log: createLog("info", (line) => logged.push(JSON.parse(line))),
      onReadings: (_device, readings) => {
        for (const reading of readings) last.set(reading.point, reading);
      },
      random: () => 0,
    },
    scope,
  );
});
afterEach(async () => {
  await scope[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

/** Both devices speak until both were heard, with time going by for the gateway's pauses. */
async function speakUntilGood(temperature: string): Promise<void> {
  const isGood = (name: string): boolean => last.get(name)?.quality === "good";
  for (let step = 0; step < 200 && !(isGood("heard") && isGood("told")); step++) {
    await rig.clock.advance(500);
    if (rig.bluez.isScanning) {
      rig.bluez.speak(SENSOR, { rssi: -60, services: { [uuid("fcd2")]: fromHex(`4002${temperature}`) } });
      rig.bluez.speak(DEVICE, { rssi: -60 });
    }
    if (rig.bluez.isConnected(DEVICE)) rig.bluez.notify(DEVICE, GATT.characteristic, fromHex(temperature));
    await rig.bluez.flush();
  }
  expect([...last.values()].map(({ quality }) => quality)).toEqual(["good", "good"]);
}

describe("a server's write", () => {
  it("reaches the device and is confirmed by what it tells then", async () => {
    await speakUntilGood("c409");
    const writing = field.write("told", "told", -1234, new AbortController().signal);
    await until(() => rig.bluez.written.length === 1);
    rig.bluez.notify(DEVICE, GATT.characteristic, fromHex("2efb"));
    await writing;
    expect(rig.bluez.written).toMatchObject([[expect.stringMatching(/char0000$/), fromHex("2efb"), "request"]]);
    expect(last.get("told")).toMatchObject({ quality: "good", value: -1234 });
  });
});

describe("a gateway's Bluetooth comes back by itself", () => {
  const troubles: readonly (readonly [what: string, begins: () => unknown, ends: () => unknown, code: string])[] = [
    [
      "when bluetoothd was restarted",
      () => rig.bluez.leave(),
      () => rig.bluez.join(rig.bus.address),
      "LINK_NO_BLUETOOTHD",
    ],
    [
      "when the controller was unplugged",
      () => rig.bluez.removeController(),
      () => rig.bluez.addController(),
      "LINK_NO_CONTROLLER",
    ],
    [
      "when the controller was off",
      () => rig.bluez.setPowered(false),
      () => rig.bluez.setPowered(true),
      "LINK_CONTROLLER_OFF",
    ],
  ];

  it.each(troubles)("%s", async (_what, begins, ends, code) => {
    await speakUntilGood("c409");
    await begins();
    await until(() => [...last.values()].every(({ quality }) => quality === "stale"));
    expect(field.status().buses[0]).toMatchObject({ state: "down", fault: { code } });
    await rig.clock.advance(4000);
    await ends();
    await speakUntilGood("c509");
    expect(field.status().buses[0]).toMatchObject({ state: "up" });
    const states = logged.filter(({ msg }) => msg.startsWith("field link"));
    expect(states.map(({ msg, code: told }) => told ?? msg)).toEqual(["field link up", code, "field link up"]);
  });
});
