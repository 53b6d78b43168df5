import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import bleAdapter from "../../../adapters/ble/index.js";
import type { BlePoint } from "../../../adapters/ble/options.js";
import { PacketMemory } from "../../../adapters/ble/packet-memory.js";
import { StationDecoder } from "../../../adapters/ble/station-decoder.js";
import { fromHex } from "../../../src/base/bytes.js";
import { silentLog } from "../../../src/base/log.js";
import type { Point } from "../../../src/field/adapter.js";
import { loadModels } from "../../../src/lwm2m/model/models.js";
import { parsePath } from "../../../src/lwm2m/path.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import type { Value } from "../../../src/lwm2m/value.js";
import { Bridge } from "../../../src/mapping/bridge.js";
import type { Profile } from "../../../src/mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../../../src/mapping/profiles.js";
import { FakeClock } from "../../fakes/clock.js";
import { EXAMPLES, type Example } from "./examples.js";
import { station } from "./points.js";

let shelf: ProfileShelf;
beforeAll(async () => {
  const adapters = new Map([[bleAdapter.name, bleAdapter]]);
  shelf = await ProfileShelf.open([join(shippedMappings(), "ble")], adapters, await loadModels());
});

async function shipped(name: string): Promise<Profile> {
  const profile = (await shelf.read(name))?.profile;
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profile;
}

function treeOf(profile: Profile, { heard, address = "A4:C1:38:02:83:F4", key }: Example): ObjectTree {
  const clock = new FakeClock();
  const tree = new ObjectTree();
  const bridge = new Bridge({ clock, onSample: () => undefined, writePoint: async () => undefined });
  bridge.addDevice({
    name: "device",
    profile,
    tree,
    report: new Map(),
    instanceId: (_objectId, ordinal) => ordinal,
    kindOf: (point) => bleAdapter.kind?.(profile.points.get(point)?.point.address),
  });
  const points = [...profile.points.values()].map(({ point }) => point as Point<BlePoint>);
  const memory = new PacketMemory();
  const secret = key === undefined ? {} : { key: fromHex(key) };
  const decoder = new StationDecoder(station(address), points, { clock, log: silentLog, memory, ...secret });
  for (const advertisement of heard) bridge.accept("device", decoder.decode(advertisement));
  return tree;
}

function valueAt(tree: ObjectTree, path: string): Value | undefined {
  const [objectId = -1, instanceId = -1, resourceId = -1] = parsePath(path);
  return tree.resource(objectId, instanceId, resourceId)?.current(0)?.value;
}

describe("the profiles for Bluetooth", () => {
  const cases = Object.entries(EXAMPLES).flatMap(([name, examples]) =>
    examples.map((example) => [name, example] as const),
  );

  it.each(cases)("%s makes of an advertisement what servers read", async (name, example) => {
    const tree = treeOf(await shipped(name), example);
    const paths = Object.keys(example.tree);
    expect(Object.fromEntries(paths.map((path) => [path, valueAt(tree, path)]))).toEqual(example.tree);
  });

  it("have an example each", () => {
    const files = readdirSync(join(shippedMappings(), "ble")).map((file) => file.replace(".yaml", ""));
    expect(Object.keys(EXAMPLES).sort()).toEqual(files.sort());
  });
});
