import { describe, expect, it } from "vitest";
import { modbusRig, valueAt } from "./modbus-rig.js";
import { goodProfile } from "./read-profile.js";

const METER = goodProfile(`profile: meter
title: A meter whose later firmware knows more
adapter: modbus
addressBase: 0
points:
  firmware: { at: { table: holding, register: 0 }, type: uint16, scale: 0.1, every: once }
  voltage: { at: { table: input, register: 0 }, type: uint16, unit: V }
  distortion: { at: { table: input, register: 40 }, type: uint16, unit: "%", when: firmware >= 2.1 }
  twice: { expr: 2 * distortion, unit: "%" }
objects:
  - object: 3316
    resources: { 5700: voltage }
  - object: 3300
    resources: { 5700: distortion }
  - object: 3300
    resources: { 5700: twice }
`);

const forever = new AbortController().signal;

describe("a point that only some devices have, on the wire", () => {
  it("is asked for as soon as the device turns out to have it", async () => {
    await using device = await modbusRig(METER);
    device.field.setAbsent("device", new Set(["distortion"]));
    device.set("firmware", 21);
    device.set("distortion", 4);
    await device.field.read("device", forever);
    const second = await device.field.read("device", forever);
    expect(second.map(({ point }) => point).sort()).toEqual(["distortion", "firmware", "voltage"]);
    expect(valueAt(device.tree, "/3300/0/5700")).toBe(4);
    expect(valueAt(device.tree, "/3300/1/5700")).toBe(8);
  });

  it("is never asked for where the device does not have it, and its resource says why", async () => {
    await using device = await modbusRig(METER);
    device.field.setAbsent("device", new Set(["distortion"]));
    device.set("firmware", 20);
    await device.field.read("device", forever);
    const second = await device.field.read("device", forever);
    expect(second.map(({ point }) => point).sort()).toEqual(["firmware", "voltage"]);
    expect([valueAt(device.tree, "/3300/0/5700"), valueAt(device.tree, "/3300/0/6042")]).toEqual([undefined, 1]);
    expect(device.points().get("distortion")).toEqual({
      name: "distortion",
      quality: "unsupported",
      reason: "not there, since 'firmware >= 2.1' does not hold",
      unit: "%",
      atMs: expect.any(Number),
    });
    expect(device.points().get("twice")).toMatchObject({
      quality: "unsupported",
      reason: "distortion: not there, since 'firmware >= 2.1' does not hold",
    });
  });
});
