import { expect, it } from "vitest";
import { TrafficCounter } from "../../src/coap/traffic.js";
import { NetworkBearer, type NetworkFacts } from "../../src/lwm2m/objects/connectivity-monitoring.js";
import { random } from "../fakes/random.js";
import { GATEWAY, Rig } from "./rig.js";

const { seed } = random();
const WIRED: NetworkFacts = {
  bearer: NetworkBearer.ethernet,
  availableBearers: [NetworkBearer.ethernet],
  addresses: ["192.0.2.7"],
  routers: ["192.0.2.1"],
};

it(`a server sees the host's network, hears of a new address, and collects for a period (seed ${seed})`, async () => {
  let facts = WIRED;
  const traffic = new TrafficCounter();
  const host = { network: { facts: () => facts }, traffic };
  await using rig = new Rig({ seed, host, servers: [["/4/0/4"]] });
  const { server } = rig;
  await rig.start();
  await rig.run(10_000);
  expect(server.linksOf(GATEWAY)).toContain("</4/0>,</7/0>");
  const ask = (method: "GET" | "PUT" | "POST", path: string, payload?: string): Promise<string> =>
    rig.during(server.ask(method, path, payload === undefined ? {} : { payload }));
  expect(await ask("GET", "/4/0/0")).toBe("2.05 41");

  const addresses = (): readonly unknown[] =>
    server.arrivals.filter(({ path }) => path === "/4/0/4/0").map(({ value }) => value);
  expect(addresses()).toEqual(["192.0.2.7"]);
  facts = { ...WIRED, addresses: ["192.0.2.8"] };
  await rig.run(1000);
  expect(await ask("GET", "/4/0/4/0")).toBe("2.05 192.0.2.8");
  await rig.run(35_000);
  expect(addresses()).toContain("192.0.2.8");

  expect(await ask("PUT", "/7/0/8", "60")).toBe("2.04");
  expect(await ask("POST", "/7/0/6")).toBe("2.04");
  traffic.sent(2048);
  expect(await ask("GET", "/7/0/2")).toBe("2.05 2");
  await rig.run(60_000);
  traffic.sent(2048);
  expect(await ask("GET", "/7/0/2")).toBe("2.05 2");
  expect(rig.messages("a part of the gateway failed")).toEqual([]);
});
