import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/base/bytes.js";
import { formatPath } from "../../../src/lwm2m/path.js";
import type { ObjectTree } from "../../../src/lwm2m/tree.js";
import { fitsType } from "../../../src/lwm2m/value.js";
import { contentOf } from "../../fakes/bootstrap-tree.js";
import { type Random, random } from "../../fakes/random.js";
import { mutatedDatagram } from "./mutation.js";
import { TEMPLATES } from "./requests.js";
import { FUZZED, World } from "./world.js";

/** `npm run fuzz` has twenty times as many. */
const REQUESTS = Number(process.env["CAUSEWAY_FUZZ_REQUESTS"] ?? 5000);
const PER_WORLD = 500;
const PER_TURN = 20;
const STRANGER = 3;
const LINKS = 40;
const SENML_JSON = 110;

/** What the fuzzed server cannot change: other servers' attributes, and the accounts of all. */
async function witnessed(world: World): Promise<readonly string[]> {
  return [
    await world.witness("GET", "/d01/3303/0/5700", { accept: LINKS }),
    await world.witness("GET", "/3/0/0", { accept: LINKS }),
    await world.witness("GET", "/1/1/0"),
    await world.witness("GET", "/0/0/0"),
  ];
}

/** Paths whose values are not of their model's type. */
function unfit(tree: ObjectTree): readonly string[] {
  return [...tree.objects.values()].flatMap(({ model, instances }) =>
    [...instances.values()].flatMap((instance) =>
      [...instance.resources.values()].flatMap((resource) =>
        [...resource.samples]
          .filter(([, { value }]) => resource.model.type === undefined || !fitsType(resource.model.type, value))
          .map(([id]) => formatPath([model.id, instance.id, resource.model.id, id])),
      ),
    ),
  );
}

async function checkWorld(world: World, before: readonly string[]): Promise<void> {
  expect(world.defects).toEqual([]);
  expect(unfit(world.tree)).toEqual([]);
  for (const tree of world.behind) expect(unfit(tree)).toEqual([]);
  expect(await witnessed(world)).toEqual(before);
  expect(world.grantedToStranger).toBe(0);
  for (const instanceId of [0, 1, 2]) {
    expect(world.tree.resource(0, instanceId, 0)?.samples.get(0)?.value).toBe(`coap://192.0.2.${instanceId + 1}`);
    expect(world.tree.resource(1, instanceId, 0)?.samples.get(0)?.value).toBe(instanceId + 1);
  }
  for (const [objectId, { instances }] of world.tree.objects) {
    if (objectId === 0) continue;
    expect(await world.witness("GET", `/${objectId}`, { accept: SENML_JSON })).toMatch(/^2\.05/);
    expect(instances.size).toBeLessThan(PER_WORLD);
  }
  expect(await world.witness("GET", "/d01/3303/0", { accept: SENML_JSON })).toContain("21.5");
  expect(await world.witness("GET", "/d02/3306/0", { accept: SENML_JSON })).toMatch(/^2\.05/);
}

/** Sends requests, and gives them, until the client is away or there were enough. */
async function fuzz(world: World, draw: Random, sent: string[]): Promise<void> {
  for (let count = 0; count < PER_WORLD; count++) {
    const datagram = mutatedDatagram(TEMPLATES, draw);
    const to = draw.below(20) === 0 ? STRANGER : FUZZED;
    sent.push(`${to} ${toHex(datagram)}`);
    world.receive(to, datagram);
    // A duplicate, as a bad network makes it.
    if (draw.below(10) === 0) world.receive(to, datagram);
    if (count % PER_TURN === 0) await world.run(draw.below(5) * 100);
    world.hear();
  }
}

/** Everything but the fuzzed server's own account, which it governs. */
function othersContent(tree: ObjectTree): readonly (readonly [string, unknown])[] {
  const content = Object.entries(contentOf(tree, [...tree.objects.keys()]));
  return content.filter(([path]) => path !== "/1/0" && !path.startsWith("/1/0/"));
}

/** Runs worlds until there were enough requests; says with a failure how it comes again. */
async function eachWorld(requests: number, run: (draw: Random, sent: string[]) => Promise<void>): Promise<void> {
  const { seed } = random();
  for (let number = 0; number * PER_WORLD < requests; number++) {
    const sent: string[] = [];
    try {
      await run(random(seed + number), sent);
    } catch (error) {
      const last = sent.slice(-PER_TURN).join("\n");
      throw new Error(`CAUSEWAY_TEST_SEED=${seed + number}; last of ${sent.length}:\n${last}`, { cause: error });
    }
  }
}

describe("whatever a server sends", () => {
  it(`${REQUESTS} mutated requests: no defect, trees and accounts whole, others unconcerned`, async () => {
    await eachWorld(REQUESTS, async (draw, sent) => {
      const world = new World(draw);
      await world.start();
      await world.witness("PUT", "/d01/3303/0/5700?pmin=7&gt=3");
      await world.witness("PUT", "/3/0/0?pmax=70");
      await world.witness("GET", "/d01/3303/0/5700", { observe: 0 });
      const before = await witnessed(world);
      await fuzz(world, draw, sent);
      expect(world.observations(2)).toBe(1);
      await checkWorld(world, before);
      // Whatever the server has asked to wait for is over then, and nothing is left behind.
      await world.run(400_000);
      expect(world.clock.pendingCount).toBeLessThan(200);
      await checkWorld(world, before);
      await world[Symbol.asyncDispose]();
      expect(world.clock.pendingCount).toBe(0);
    });
  }, 300_000);

  it(`${REQUESTS / 5} mutated requests of one that may only read change nothing`, async () => {
    await eachWorld(REQUESTS / 5, async (draw, sent) => {
      await using world = new World(draw, "read");
      await world.start();
      const before = othersContent(world.tree);
      await fuzz(world, draw, sent);
      expect(world.defects).toEqual([]);
      expect(othersContent(world.tree)).toEqual(before);
    });
  }, 300_000);
});
