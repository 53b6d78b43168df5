import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import serialAdapter, { serial } from "../../../adapters/serial/index.js";
import type { SerialPoint } from "../../../adapters/serial/options.js";
import { toHex } from "../../../src/base/bytes.js";
import type { Point, Station } from "../../../src/field/adapter.js";
import type { Variables } from "../../../src/field/template.js";
import { loadModels } from "../../../src/lwm2m/model/models.js";
import { parsePath } from "../../../src/lwm2m/path.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import { Bridge } from "../../../src/mapping/bridge.js";
import type { Profile } from "../../../src/mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../../../src/mapping/profiles.js";
import { EXAMPLES } from "./examples.js";
import { latin, SerialRig } from "./serial-rig.js";

/** A profile may want the line to rest for so long before a request. */
const REST_MS = 100;
const forever = new AbortController().signal;

let shelf: ProfileShelf;
beforeAll(async () => {
  shelf = await ProfileShelf.open([shippedMappings()], new Map([["serial", serialAdapter]]), await loadModels());
});

it("are all shown by an example", () => {
  const files = readdirSync(join(shippedMappings(), "serial")).filter((file) => file.endsWith(".yaml"));
  expect(files.map((file) => file.replace(/\.yaml$/, "")).toSorted()).toEqual(Object.keys(EXAMPLES).toSorted());
});

describe.each(Object.entries(EXAMPLES))("%s", (name, { says = [], answers = {}, tree: expected, writes = [] }) => {
  const rig = new SerialRig(300);
  const tree = new ObjectTree();
  let profile: Profile;
  let station: Station<Variables>;

  beforeAll(async () => {
    const read = (await shelf.read(name))?.profile;
    if (read === undefined) throw new Error(`no profile ${name}`);
    profile = read;
    station = { name, address: new Map(), traits: profile.traits };
    const bridge = new Bridge({
      clock: rig.clock,
      onSample: () => undefined,
      writePoint: async (_, point, value, signal) => {
        const target = points().find((candidate) => candidate.name === point);
        if (target !== undefined) await rig.link.write(station, target, value, signal);
      },
    });
    const kindOf = (point: string) => serialAdapter.kind?.(profile.points.get(point)?.point.address);
    const device = { name, profile, tree, report: new Map(), kindOf };
    bridge.addDevice({ ...device, instanceId: (_, ordinal) => ordinal });
    rig.answer = (request) => {
      const answer = answers[request];
      return answer === undefined ? [] : [answer];
    };
    const sink = {
      readings: (readings: Parameters<Bridge["accept"]>[1]) => bridge.accept(name, readings),
      gone: () => undefined,
    };
    await rig.link.watch(station, readable(), sink, forever);
    for (const frame of says) rig.say(frame);
    for (const exchange of serial.plan({ port: "p" }, station, readable())) {
      const reading = rig.link.read(station, exchange.points, forever);
      await rig.clock.advance(REST_MS);
      bridge.accept(name, await reading);
    }
  });

  const points = (): Point<SerialPoint>[] =>
    [...profile.points.values()].map(({ point }) => point as Point<SerialPoint>);
  const readable = (): Point<SerialPoint>[] => points().filter(({ access }) => access !== "w");

  it("shows what the device says", () => {
    for (const [path, value] of Object.entries(expected)) {
      const [objectId = -1, instanceId = -1, resourceId = -1] = parsePath(path);
      const found = tree.resource(objectId, instanceId, resourceId)?.current(0)?.value;
      if (typeof value === "number") expect(found, path).toBeCloseTo(value, 9);
      else expect(found, path).toEqual(value);
    }
  });

  it("sends what servers write", async () => {
    for (const [path, value, sent, answer] of writes) {
      const [objectId = -1, instanceId = -1, resourceId = -1] = parsePath(path);
      rig.requests.length = 0;
      rig.answer = () => (answer === "" ? [] : [latin(answer)]);
      const written = tree.resource(objectId, instanceId, resourceId)?.handler.write?.(value, forever);
      await rig.clock.advance(10);
      await written;
      expect(rig.requests.map((request) => toHex(latin(request)))).toEqual([sent]);
    }
    const writable = points().filter(({ access }) => access !== "r");
    expect(new Set(writes.map(([path]) => path)).size).toBe(writable.length);
  });
});
