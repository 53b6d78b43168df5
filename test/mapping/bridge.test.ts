import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLog } from "../../src/base/log.js";
import { Problems } from "../../src/base/schema.js";
import { parseSource } from "../../src/base/source.js";
import type { Reading, Scalar } from "../../src/field/reading.js";
import type { ModelRegistry } from "../../src/lwm2m/model/model.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import { ObjectTree, type TreeChange } from "../../src/lwm2m/tree.js";
import type { Value } from "../../src/lwm2m/value.js";
import { Bridge, type BridgedSample } from "../../src/mapping/bridge.js";
import { InstanceTable, memoryInstanceStore } from "../../src/mapping/instances.js";
import type { Profile } from "../../src/mapping/profile.js";
import { readProfile } from "../../src/mapping/profile-reader.js";
import type { Report } from "../../src/mapping/report.js";
import { FakeClock } from "../fakes/clock.js";
import { fakeAdapter, fakeAdapters } from "./fake-adapter.js";
import { goodProfile } from "./read-profile.js";

const PROFILE = `profile: meter
title: A meter
adapter: fake
points:
  temperature: { at: { register: 0 }, scale: 0.1, unit: Cel, valid: [-40, 80] }
  relay:       { at: { register: 9 }, type: bool, access: rw }
  setpoint:    { at: { register: 10 }, scale: 0.1, access: rw, valid: [5, 30] }
  locked:      { at: { register: 11 }, type: bool }
objects:
  - object: 3303
    resources: { 5700: temperature, 5750: { value: Boiler } }
  - object: 3306
    resources: { 5850: relay }
  - object: 3308
    resources: { 5900: setpoint }
  - object: 3306
    resources: { 5850: locked }
`;

let models: ModelRegistry;
let profile: Profile;
beforeAll(async () => {
  models = await loadModels();
  const problems = new Problems();
  const { root } = parseSource(PROFILE, "m.yaml");
  const read = root && readProfile(root, fakeAdapters, models, problems);
  if (read === undefined) throw new Error(JSON.stringify(problems.list));
  profile = read;
});

let clock: FakeClock;
let tree: ObjectTree;
let bridge: Bridge;
let samples: BridgedSample[];
let written: [string, string, Scalar][];
let report: Map<string, Report>;

beforeEach(async () => {
  clock = new FakeClock();
  tree = new ObjectTree();
  samples = [];
  written = [];
  report = new Map();
  const instances = await InstanceTable.open(memoryInstanceStore());
  bridge = new Bridge({
    clock,
    onSample: (sample) => samples.push(sample),
    writePoint: (device, point, value) => {
      written.push([device, point, value]);
      accept(point, value);
      return Promise.resolve();
    },
  });
  bridge.addDevice({
    name: "boiler",
    profile,
    tree,
    report,
    instanceId: (objectId, ordinal) => instances.instanceId("boiler", objectId, ordinal),
    kindOf: (point) => fakeAdapter.kind?.(profile.points.get(point)?.point.address),
  });
});

function accept(point: string, value: Scalar, atMs = clock.nowMs()): void {
  bridge.accept("boiler", [{ point, atMs, quality: "good", value }]);
}

function fault(point: string, quality: Exclude<Reading["quality"], "good" | "manual">): void {
  bridge.accept("boiler", [{ point, atMs: clock.nowMs(), quality, reason: "test" }]);
}

function value(objectId: number, instanceId: number, resourceId: number): Value | undefined {
  return tree.resource(objectId, instanceId, resourceId)?.current(clock.nowMs())?.value;
}

function write(objectId: number, instanceId: number, resourceId: number, written: Value): Promise<void> {
  const handler = tree.resource(objectId, instanceId, resourceId)?.handler;
  return handler?.write?.(written, new AbortController().signal) ?? Promise.reject(new Error("not writable"));
}

describe("up", () => {
  it("a reading reaches its resource with its own time", () => {
    accept("temperature", 215, 1_767_225_600_250);
    expect(tree.resource(3303, 0, 5700)?.samples.get(0)).toEqual({ value: 21.5, atMs: 1_767_225_600_250 });
    expect(value(3303, 0, 5518)).toBe(1_767_225_600);
    expect(value(3303, 0, 6050)).toBe(0.25);
    expect(samples.map(({ point, path, sample }) => [point, path, sample.value])).toEqual([
      ["temperature", [3303, 0, 5700], 21.5],
    ]);
  });

  it("literals and units stand from the start, values do not", () => {
    expect(value(3303, 0, 5750)).toBe("Boiler");
    expect(value(3303, 0, 5701)).toBe("Cel");
    expect(value(3303, 0, 5700)).toBeUndefined();
    expect(value(3303, 0, 6042)).toBe(0);
  });

  it.each(["timeout", "crc", "stale"] as const)("%s of what was never read says nothing of a value", (quality) => {
    fault("temperature", quality);
    expect([value(3303, 0, 6042), value(3303, 0, 6049)]).toEqual([0, 0]);
  });

  it("keeps minimum and maximum, and resets them to the present value", async () => {
    for (const raw of [215, 190, 260, 230]) accept("temperature", raw);
    expect([value(3303, 0, 5601), value(3303, 0, 5602)]).toEqual([19, 26]);
    await tree.resource(3303, 0, 5605)?.handler.execute?.("", new AbortController().signal);
    expect([value(3303, 0, 5601), value(3303, 0, 5602)]).toEqual([23, 23]);
  });

  it.each<[Exclude<Reading["quality"], "good" | "manual">, number, number]>([
    ["timeout", 3, 25],
    ["crc", 3, 25],
    ["exception", 2, 10],
    ["unsupported", 1, 0],
    ["stale", 3, 50],
  ])("a %s changes the quality and leaves the value alone", (quality, indicator, level) => {
    accept("temperature", 215);
    expect([value(3303, 0, 6042), value(3303, 0, 6049)]).toEqual([4, 100]);
    fault("temperature", quality);
    expect(value(3303, 0, 5700)).toBe(21.5);
    expect([value(3303, 0, 6042), value(3303, 0, 6049)]).toEqual([indicator, level]);
    expect(samples).toHaveLength(1);
  });

  it("a value beyond the valid range is told as quality, not as value", () => {
    accept("temperature", 215);
    accept("temperature", 9999);
    expect(value(3303, 0, 5700)).toBe(21.5);
    expect(value(3303, 0, 6042)).toBe(2);
    expect(value(3303, 0, 5602)).toBe(21.5);
  });

  it("an unchanged reading changes no other resource, so that observers of the instance stay quiet", () => {
    accept("temperature", 215);
    const changes: TreeChange[] = [];
    tree.listen((change) => changes.push(change));
    accept("temperature", 215, clock.nowMs() + 1000);
    expect(changes.map(({ path }) => path)).toEqual([[3303, 0, 5700]]);
  });

  it("readings of unknown devices and points feed nothing", () => {
    bridge.accept("nobody", [{ point: "temperature", atMs: 0, quality: "good", value: 1 }]);
    accept("nothing", 1);
    expect(samples).toEqual([]);
  });
});

describe("down", () => {
  it("a write goes to the device in its own scale; the tree changes by what it reads back", async () => {
    await write(3308, 0, 5900, 21.5);
    expect(written).toEqual([["boiler", "setpoint", 215]]);
    expect(value(3308, 0, 5900)).toBe(21.5);
    await write(3306, 0, 5850, true);
    expect(written.at(-1)).toEqual(["boiler", "relay", true]);
  });

  it("a value beyond the limits never reaches the device", async () => {
    await expect(write(3308, 0, 5900, 31)).rejects.toMatchObject({ code: "VALUE_INVALID" });
    expect(written).toEqual([]);
  });

  it("a point that is only read refuses", async () => {
    await expect(write(3306, 1, 5850, true)).rejects.toMatchObject({ code: "FIELD_NOT_WRITABLE" });
  });
});

it("a report filter keeps small changes from tree and outbox, but not from minimum and maximum", async () => {
  const instances = await InstanceTable.open(
    memoryInstanceStore([{ device: "b", objectId: 3303, ordinal: 0, instanceId: 7 }]),
  );
  bridge.addDevice({
    name: "b",
    profile: { ...profile, objects: profile.objects.slice(0, 1) },
    tree,
    report: new Map([["temperature", { deadband: 0.5 }]]),
    instanceId: (objectId, ordinal) => instances.instanceId("b", objectId, ordinal),
    kindOf: () => "number",
  });
  for (const [index, raw] of [200, 203, 207].entries()) {
    bridge.accept("b", [{ point: "temperature", atMs: clock.nowMs() + index, quality: "good", value: raw }]);
  }
  expect(samples.map(({ sample }) => sample.value)).toEqual([20, 20.7]);
  expect(value(3303, 7, 5602)).toBe(20.7);
});

describe("a device whose points depend on each other", () => {
  const WITH_FACTORS = `profile: inverter
title: An inverter
adapter: fake
points:
  version:  { at: { register: 0 }, every: once }
  power:    { at: { register: 1 }, unit: W, scaleFrom: power_SF, access: rw, report: { deadband: 1, heartbeat: 1m } }
  power_SF: { at: { register: 2 }, invalid: [-32768] }
  spare:    { at: { register: 3 }, when: version > 2, unit: V }
  double:   { expr: 2 * power, unit: W, report: { minInterval: 10s } }
objects:
  - object: 3305
    resources: { 5800: power }
  - object: 3328
    resources: { 5700: double }
  - object: 3316
    resources: { 5700: spare }
  - object: 3308
    resources: { 5900: double }
`;
  let absent: string[][];

  beforeEach(() => {
    absent = [];
    bridge[Symbol.dispose]();
    tree = new ObjectTree();
    bridge = new Bridge({
      clock,
      onSample: (sample) => samples.push(sample),
      onAbsent: (_, points) => absent.push([...points]),
      writePoint: (device, point, raw) => Promise.resolve(void written.push([device, point, raw])),
    });
    bridge.addDevice({
      name: "boiler",
      profile: goodProfile(WITH_FACTORS),
      tree,
      report: new Map([["power", { deadband: 5 }]]),
      instanceId: (_, ordinal) => ordinal,
      kindOf: () => "number",
    });
  });

  const statuses = () =>
    bridge
      .statusOf("boiler", new Map())
      .map(({ name, quality, value: shown, unit, reason }) => [name, quality, shown ?? reason, unit ?? ""].join(" "));

  it("has no value without its factor, in the tree and in the status", async () => {
    accept("power", 1234);
    expect([value(3305, 0, 5800), value(3305, 0, 6042)]).toEqual([undefined, 1]);
    expect([value(3328, 0, 5700), value(3328, 0, 6042)]).toEqual([undefined, 1]);
    expect(statuses()).toEqual([
      "version never-read nothing has come yet ",
      "power invalid its factor 'power_SF' is not known yet W",
      "power_SF never-read nothing has come yet ",
      "spare never-read not known to be there until 'version > 2' is V",
      "double invalid power: its factor 'power_SF' is not known yet W",
    ]);
    await expect(write(3305, 0, 5800, 1)).rejects.toMatchObject({ code: "FIELD_BUSY" });
    accept("power_SF", -1);
    expect([value(3305, 0, 5800), value(3328, 0, 5700), value(3328, 0, 6042)]).toEqual([123.4, 246.8, 4]);
    expect(statuses().slice(1, 3)).toEqual(["power good 123.4 W", "power_SF good -1 "]);
  });

  it("does not report what the filters of its profile and of the device hold back", async () => {
    accept("power_SF", 0);
    for (const raw of [100, 104, 106]) accept("power", raw);
    const shown = () => samples.filter(({ path }) => path[0] !== 3308);
    expect(shown().map(({ point, sample }) => [point, sample.value])).toEqual([
      ["power", 100],
      ["double", 200],
      ["power", 106],
    ]);
    await clock.advance(9_999);
    expect(shown()).toHaveLength(3);
    await clock.advance(1);
    expect(samples.at(-1), "the newest of what was held back").toMatchObject({
      point: "double",
      sample: { value: 212 },
    });
    accept("power", 106, clock.nowMs() + 60_000);
    expect(samples.at(-1), "the heartbeat").toMatchObject({ point: "power", sample: { value: 106 } });
  });

  it("holds nothing back any more when it is closed", async () => {
    accept("power_SF", 0);
    for (const raw of [100, 106]) accept("power", raw);
    bridge[Symbol.dispose]();
    expect(clock.pendingCount).toBe(0);
  });

  it("says which points the parameters of the device take away", () => {
    const profile = goodProfile(WITH_FACTORS.replace("when: version > 2", "when: false"));
    const device = { name: "boiler", profile, tree: new ObjectTree(), report: new Map() };
    bridge.addDevice({ ...device, instanceId: (_, ordinal) => ordinal, kindOf: () => "number" });
    expect(statuses()[3]).toBe("spare unsupported not there, by the device's parameters V");
  });

  it("takes what is set by hand for final, asks the device for it no more, and lets nobody write it", async () => {
    const device = { name: "boiler", profile: goodProfile(WITH_FACTORS), tree: new ObjectTree(), report: new Map() };
    const manual = new Map([["power", 500]]);
    bridge.addDevice({ ...device, manual, instanceId: (_, ordinal) => ordinal, kindOf: () => "number" });
    tree = device.tree;
    expect(bridge.absentOf("boiler")).toContain("power");
    expect(statuses()[1]).toBe("power never-read nothing has come yet W");
    bridge.tellManual("boiler");
    accept("power_SF", -1);
    accept("power", 1234);
    expect([value(3305, 0, 5800), value(3305, 0, 6042)]).toEqual([500, 4]);
    expect(value(3328, 0, 5700), "what follows from it").toBe(1000);
    expect([statuses()[1], statuses()[4]]).toEqual(["power manual 500 W", "double manual 1000 W"]);
    await expect(write(3305, 0, 5800, 1)).rejects.toMatchObject({ code: "FIELD_NOT_WRITABLE" });
    expect(written).toEqual([]);
  });

  it("shows the resources of derived points from the start, and lets nobody write them", async () => {
    expect(tree.resource(3328, 0, 5700)).toBeDefined();
    await expect(write(3308, 0, 5900, 1)).rejects.toMatchObject({ code: "FIELD_NOT_WRITABLE" });
    expect(written).toEqual([]);
  });

  it("says what it does not have", () => {
    expect([...bridge.absentOf("boiler")]).toEqual(["spare"]);
    accept("version", 2);
    expect(absent).toEqual([["spare"]]);
    expect([value(3316, 0, 5700), value(3316, 0, 6042)]).toEqual([undefined, 1]);
    expect(statuses()[3]).toBe("spare unsupported not there, since 'version > 2' does not hold V");
    accept("version", 3);
    accept("spare", 12);
    expect([value(3316, 0, 5700), value(3316, 0, 6042)]).toEqual([12, 4]);
  });

  it("polls what a resource needs as often as the resource is asked for", () => {
    const paths = [...bridge.pathsOf("boiler")].map(([point, own]) => [point, own.map((path) => path.join("/"))]);
    expect(Object.fromEntries(paths)).toEqual({
      power: ["3305/0/5800", "3328/0/5700", "3308/0/5900"],
      power_SF: ["3305/0/5800", "3328/0/5700", "3308/0/5900"],
      double: ["3328/0/5700", "3308/0/5900"],
      spare: ["3316/0/5700"],
    });
  });
});

it("a counter that rolls over is told in the log", () => {
  const logged: Record<string, unknown>[] = [];
  const own = new Bridge({
    clock,
    log: createLog("info", (line) => logged.push(JSON.parse(line))),
    onSample: () => undefined,
    writePoint: () => Promise.resolve(),
  });
  const text =
    "profile: c\ntitle: C\nadapter: fake\nobjects: []\npoints:\n  n: { at: { register: 0 }, kind: counter, rollover: 2^16 }\n";
  const device = { name: "c", profile: goodProfile(text), tree, report: new Map(), instanceId: () => 0 };
  own.addDevice({ ...device, kindOf: () => "number" });
  for (const raw of [65_000, 5]) own.accept("c", [{ point: "n", atMs: 0, quality: "good", value: raw }]);
  expect(logged).toMatchObject([{ msg: "counter rolled over", device: "c", point: "n", from: 65_000, to: 5 }]);
});

describe("instance ids", () => {
  it("stay the same over restarts and over reordering of the configuration", async () => {
    const store = memoryInstanceStore();
    const first = await InstanceTable.open(store);
    expect(["a", "b", "c"].map((device) => first.instanceId(device, 3303, 0))).toEqual([0, 1, 2]);
    expect(first.instanceId("b", 3303, 1)).toBe(3);
    expect(first.instanceId("b", 3304, 0)).toBe(0);
    await first.save();
    const second = await InstanceTable.open(store);
    expect(["c", "d", "b", "a"].map((device) => second.instanceId(device, 3303, 0))).toEqual([2, 4, 1, 0]);
    expect(second.instanceId("b", 3303, 1)).toBe(3);
  });
});
