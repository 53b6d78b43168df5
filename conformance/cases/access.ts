import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { linksOf, valuesOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectAbsent, expectCode, expectContent, expectEqual, expectTrue } from "../difference.js";
import { payloadOf } from "../payload.js";
import type { Server } from "../server.js";
import { createPortfolio } from "./portfolio.js";

/** The second server reads, but neither object 16 nor 7; the first may do everything. */
const RIGHTS = [undefined, { default: ["read"], 7: [], 16: [] }];
const QUIET_MS = 2000;

/** OMA LwM2M Core 1.2 §8, of which the ETS has no cases. */
export const access: readonly ConformanceCase[] = [
  {
    id: "causeway-access-1",
    title: "Access control: what a right covers",
    servers: 2,
    rights: RIGHTS,
    async run({ server, second }) {
      await second.next("Register");
      expectCode(await second.read("/3/0"), "2.05");
      expectCode(await second.ask("PUT", "/3/0?pmin=1"), "2.04");
      const zone = { contentFormat: ContentFormat.text, payload: "Europe/Paris" };
      expectCode(await second.ask("PUT", "/3/0/15", zone), "4.01");
      expectCode(await second.ask("POST", "/3/0/12"), "4.01");
      expectCode(await second.ask("DELETE", "/3/0"), "4.01");
      expectCode(await second.ask("POST", "/16", portfolio(0, "a")), "4.01");
      expectCode(await second.read("/7/0"), "4.01");
      expectEqual("Read of an object without a readable instance", valuesOf(await second.read("/7")).size, 0);
      expectTrue("Discover needs no right", linksOf(await second.discover("/7/0")).length > 1, "nothing");
      expectCode(await server.ask("PUT", "/3/0/15", zone), "2.04");
      expectCode(await server.ask("POST", "/3/0/12"), "2.04");
    },
  },
  {
    id: "causeway-access-2",
    title: "Access control: composite operations",
    servers: 2,
    rights: RIGHTS,
    async run({ server, second }) {
      await second.next("Register");
      const some = await second.readComposite(["/3/0/16", "/7/0"], ContentFormat.senmlCbor);
      expectContent(some, { "/3/0/16": "U" });
      expectAbsent(some, ["/7"]);
      expectCode(await second.readComposite(["/7/0"], ContentFormat.senmlCbor), "4.01");
      const whole = await second.readComposite(["/"], ContentFormat.senmlCbor);
      expectAbsent(whole, ["/0", "/7", "/16"]);
      const values = { "/1/1/2": 5, "/3/0/15": "Europe/Paris" };
      expectCode(await second.ask("iPATCH", "/", payloadOf("/", values, ContentFormat.senmlCbor)), "4.01");
      expectEqual("/1/1/2 after the refusal", (await second.read("/1/1/2")).code, "4.04");
      const all = { "/1/0/2": 5, "/3/0/15": "Europe/Paris" };
      expectCode(await server.ask("iPATCH", "/", payloadOf("/", all, ContentFormat.senmlCbor)), "2.04");
    },
  },
  {
    id: "causeway-access-3",
    title: "Access control: the owner of an instance decides",
    servers: 2,
    rights: RIGHTS,
    async run({ server, second }) {
      await second.next("Register");
      await createPortfolio(server, 0, ["a"]);
      const list = await listOf(server, 16, 0);
      expectContent(await server.read(list), { [`${list}/3`]: 1 });
      expectCode(await second.read("/16/0"), "4.01");
      expectCode(await second.ask("POST", list, grant(list, 3)), "4.01");
      expectCode(await server.ask("POST", list, grant(list, 3)), "2.04");
      expectContent(await second.read("/16/0/0"), { "/16/0/0/0": "a" });
      expectCode(await second.ask("PUT", "/16/0/0", portfolioValue("b")), "2.04");
      expectCode(await second.ask("DELETE", "/16/0"), "4.01");
      expectCode(await server.ask("DELETE", "/16/0"), "2.02");
      expectCode(await server.read(list), "4.04");
    },
  },
  {
    id: "causeway-access-4",
    title: "Access control: no notification without the right to read",
    servers: 2,
    rights: RIGHTS,
    async run({ server, second }) {
      await second.next("Register");
      await createPortfolio(server, 0, ["a"]);
      const list = await listOf(server, 16, 0);
      expectCode(await server.ask("POST", list, grant(list, 1)), "2.04");
      const observation = await second.observe("/16/0/0");
      expectContent(observation.first, { "/16/0/0/0": "a" });
      expectCode(await server.ask("PUT", "/16/0/0", portfolioValue("b")), "2.04");
      expectContent(await observation.next(0, 2), { "/16/0/0/0": "b" });
      expectCode(await server.ask("POST", list, grant(list, 0)), "2.04");
      expectCode(await server.ask("PUT", "/16/0/0", portfolioValue("c")), "2.04");
      expectCode(await observation.end(QUIET_MS), "4.01");
      expectCode(await server.ask("PUT", "/16/0/0", portfolioValue("d")), "2.04");
      await observation.expectSilence(QUIET_MS);
    },
  },
  {
    id: "causeway-access-5",
    title: "Access control: each server its own attributes and rights on the same resource",
    servers: 2,
    rights: [undefined, { default: ["read"] }],
    field: "device",
    async run({ server, second }) {
      await second.next("Register");
      await server.writeAttributes("/3300/0/5700?pmin=1&pmax=2");
      await second.writeAttributes("/3300/0/5700?pmin=3&pmax=4");
      const [often, seldom] = [await server.observe("/3300/0/5700"), await second.observe("/3300/0/5700")];
      for (let round = 0; round < 3; round++) expectCode(await often.next(1, 2), "2.05");
      expectCode(await seldom.next(3, 4), "2.05");
      const unit = { contentFormat: ContentFormat.text, payload: "hall" };
      expectCode(await second.ask("PUT", "/3300/0/5750", unit), "4.01");
    },
  },
];

function portfolio(instanceId: number, text: string) {
  return payloadOf("/16", { [`/16/${instanceId}/0/0`]: text }, ContentFormat.senmlCbor);
}

function portfolioValue(text: string) {
  return payloadOf("/16/0/0", { "/16/0/0/0": text }, ContentFormat.senmlCbor);
}

/** The second server's entry. */
function grant(list: string, rights: number) {
  return payloadOf(list, { [`${list}/2/2`]: rights }, ContentFormat.senmlCbor);
}

/** The instance of object 2 that is for the instance. */
async function listOf(server: Server, objectId: number, instanceId: number): Promise<string> {
  const values = valuesOf(await server.read("/2"));
  for (const [path, value] of values) {
    const [, list] = /^(\/2\/\d+)\/0$/.exec(path) ?? [];
    if (list !== undefined && value === objectId && values.get(`${list}/1`) === instanceId) return list;
  }
  throw new Error(`object 2 has nothing for /${objectId}/${instanceId}`);
}
