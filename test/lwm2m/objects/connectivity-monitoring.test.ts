import { expect, it } from "vitest";
import {
  addConnectivityMonitoring,
  NetworkBearer,
  type NetworkFacts,
} from "../../../src/lwm2m/objects/connectivity-monitoring.js";
import { read } from "../../../src/lwm2m/operation/operations.js";
import { formatPath, type Path } from "../../../src/lwm2m/path.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import { FakeClock } from "../../fakes/clock.js";
import { shippedModels } from "../../fakes/lwm2m-client.js";

const WIRED: NetworkFacts = {
  bearer: NetworkBearer.ethernet,
  availableBearers: [NetworkBearer.ethernet, NetworkBearer.wlan],
  addresses: ["192.0.2.7", "2001:db8::7"],
  routers: ["192.0.2.1"],
};
const RADIO: NetworkFacts = { ...WIRED, bearer: NetworkBearer.wlan, signalDbm: -56 };
const NONE: NetworkFacts = { availableBearers: [], addresses: [], routers: [] };

function start(first: NetworkFacts) {
  const clock = new FakeClock();
  const tree = new ObjectTree();
  const host = { network: first, looks: 0 };
  const facts = (): NetworkFacts => {
    host.looks++;
    return host.network;
  };
  const object = addConnectivityMonitoring(tree, shippedModels, { facts }, clock);
  const valuesAt = (path: Path) =>
    Object.fromEntries(read(tree, path, clock.nowMs()).entries.map(({ path, value }) => [formatPath(path), value]));
  const told: string[] = [];
  tree.listen((change) => {
    told.push(`${change.kind} ${formatPath(change.path)}${change.kind === "value" ? ` ${change.sample.value}` : ""}`);
  });
  return { clock, tree, host, object, valuesAt, told };
}

it.each([
  [
    "a wired link has 0 for the signal that it does not have",
    WIRED,
    {
      "/4/0/0": 41,
      "/4/0/2": 0,
      "/4/0/1/0": 41,
      "/4/0/1/1": 21,
      "/4/0/4/0": "192.0.2.7",
      "/4/0/4/1": "2001:db8::7",
      "/4/0/5/0": "192.0.2.1",
    },
  ],
  [
    "a radio has its signal",
    RADIO,
    {
      "/4/0/0": 21,
      "/4/0/2": -56,
      "/4/0/1/0": 41,
      "/4/0/1/1": 21,
      "/4/0/4/0": "192.0.2.7",
      "/4/0/4/1": "2001:db8::7",
      "/4/0/5/0": "192.0.2.1",
    },
  ],
  ["what is not known is not said", NONE, {}],
])("%s", (_, facts, expected) => {
  expect(start(facts).valuesAt([4, 0])).toEqual(expected);
});

it("a read gives what holds now, from one look for the whole instance", async () => {
  const { clock, host, valuesAt } = start(WIRED);
  host.network = { ...RADIO, addresses: ["198.51.100.1"] };
  await clock.advance(1000);
  const { looks } = host;
  expect(valuesAt([4, 0])).toMatchObject({ "/4/0/0": 21, "/4/0/4/0": "198.51.100.1" });
  expect(host.looks).toBe(looks + 1);
  expect(valuesAt([4, 0, 4])).toEqual({ "/4/0/4/0": "198.51.100.1" });
  expect(valuesAt([4, 0, 4, 0])).toEqual({ "/4/0/4/0": "198.51.100.1" });
  expect(() => valuesAt([4, 0, 4, 1])).toThrow(/does not exist/);
});

it("observers hear of what has changed, and of nothing else", async () => {
  const { clock, host, object, told } = start(WIRED);
  await clock.advance(30_000);
  object.refresh();
  expect(told).toEqual([]);
  host.network = { ...WIRED, addresses: ["192.0.2.8"], routers: ["192.0.2.1", "192.0.2.2"] };
  await clock.advance(30_000);
  object.refresh();
  expect(told).toEqual(["instance-removed /4/0/4/1", "value /4/0/4/0 192.0.2.8", "value /4/0/5/1 192.0.2.2"]);
});
