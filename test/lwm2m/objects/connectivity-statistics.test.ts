import { expect, it } from "vitest";
import { TrafficCounter } from "../../../src/coap/traffic.js";
import { addConnectivityStatistics } from "../../../src/lwm2m/objects/connectivity-statistics.js";
import { execute, read } from "../../../src/lwm2m/operation/operations.js";
import { formatPath } from "../../../src/lwm2m/path.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import { FakeClock } from "../../fakes/clock.js";
import { shippedModels } from "../../fakes/lwm2m-client.js";

const { signal } = new AbortController();

function start() {
  const clock = new FakeClock();
  const tree = new ObjectTree();
  const counter = new TrafficCounter();
  const object = addConnectivityStatistics(tree, shippedModels, counter, clock);
  return {
    clock,
    counter,
    object,
    tree,
    values: () => read(tree, [7, 0], clock.nowMs()).entries.map(({ path, value }) => `${formatPath(path)}=${value}`),
    start: () => execute(tree, [7, 0, 6], "", signal),
    stop: () => execute(tree, [7, 0, 7], "", signal),
    setPeriod: async (value: number | bigint) => tree.resource(7, 0, 8)?.handler.write?.(value, signal),
  };
}

const stats = (tx: number, rx: number, max: number, average: number, period = 0): readonly string[] => [
  `/7/0/2=${tx}`,
  `/7/0/3=${rx}`,
  `/7/0/4=${max}`,
  `/7/0/5=${average}`,
  `/7/0/8=${period}`,
];

function carry({ counter }: { readonly counter: TrafficCounter }): void {
  counter.sent(3000);
  counter.sent(1000);
  counter.received(1100);
}

it("collects from Start to Stop; each Start begins at zero", async () => {
  const object = start();
  carry(object);
  expect(object.values()).toEqual(stats(0, 0, 0, 0));
  await object.start();
  carry(object);
  expect(object.values()).toEqual(stats(3, 1, 3000, 1700));
  await object.stop();
  carry(object);
  expect(object.values()).toEqual(stats(3, 1, 3000, 1700));
  await object.start();
  expect(object.values()).toEqual(stats(0, 0, 0, 0));
});

it("the collection period ends the collection, counted from the newest Start", async () => {
  const object = start();
  await object.setPeriod(10);
  await object.start();
  await object.clock.advance(6000);
  await object.start();
  await object.clock.advance(6000);
  carry(object);
  await object.clock.advance(4000);
  carry(object);
  expect(object.values()).toEqual(stats(3, 1, 3000, 1700, 10));
  expect(object.clock.pendingCount).toBe(0);
});

it("Stop and the end of the gateway leave no timer behind", async () => {
  const object = start();
  await object.setPeriod(10);
  await object.start();
  await object.stop();
  expect(object.clock.pendingCount).toBe(0);
  await object.start();
  object.object[Symbol.dispose]();
  expect(object.clock.pendingCount).toBe(0);
});

it.each([-1, 2n ** 60n])("refuses the period %s", async (value) => {
  const object = start();
  await expect(object.setPeriod(value)).rejects.toMatchObject({ code: "VALUE_INVALID" });
  expect(object.values()).toEqual(stats(0, 0, 0, 0));
});

it("observers hear of what was counted", async () => {
  const object = start();
  const told: string[] = [];
  object.tree.listen((change) => {
    if (change.kind === "value") told.push(`${formatPath(change.path)}=${change.sample.value}`);
  });
  await object.start();
  object.object.refresh();
  expect(told).toEqual([]);
  carry(object);
  object.object.refresh();
  expect(told).toEqual(["/7/0/2=3", "/7/0/3=1", "/7/0/4=3000", "/7/0/5=1700"]);
});
