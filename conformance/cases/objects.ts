import { utf8Encode } from "../../src/base/bytes.js";
import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { linksOf, valuesOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectCode, expectContent, expectEqual, expectTrue } from "../difference.js";
import { payloadOf, type Values } from "../payload.js";
import type { Server } from "../server.js";
import { createPortfolio } from "./portfolio.js";

const POSITION = { "/6/0/0": undefined, "/6/0/1": undefined, "/6/0/5": undefined };
const DATA = utf8Encode('{"meter":1}');

/**
 * ETS §6.6.7 (Location), §6.7.6 (BinaryAppDataContainer), §6.7.7 (Event Log) and §6.4.11 (Send of chosen resources), and
 * Factory Reset, for which it has no procedure.
 */
export const objects: readonly ConformanceCase[] = [
  {
    id: "1.1-int-311",
    title: "Send command",
    note: "the test object 3442 is told what to send",
    async run({ server }) {
      const paths: Values = { "/3442/0/6/0": "/1/0/1", "/3442/0/6/1": "/3/0/11/0" };
      const ask = payloadOf("/3442/0/6", paths, ContentFormat.senmlCbor);
      expectCode(await server.ask("PUT", "/3442/0/6", ask), "2.04");
      await server.execute("/3442/0/5");
      const sent = await server.next("Send");
      const answer = { of: "Send", path: "/", code: "2.05", contentFormat: sent.contentFormat ?? -1, locationPath: [] };
      expectContent({ ...answer, payload: sent.payload }, { "/1/0/1": 86_400, "/3/0/11/0": 0 });
    },
  },
  {
    id: "1.1-int-801",
    title: "Location: query readable resources",
    field: "location",
    run: async ({ server }) => expectContent(await server.read("/6/0"), POSITION),
  },
  {
    id: "1.1-int-810",
    title: "Location: basic observation",
    field: "location",
    async run({ server }) {
      await server.writeAttributes("/6/0?pmin=1&pmax=2");
      const observation = await server.observe("/6/0");
      expectContent(observation.first, POSITION);
      for (let round = 0; round < 2; round++) {
        const answer = await observation.next(1, 2);
        expectContent(answer, POSITION);
        const ageS = Date.now() / 1000 - Number(valuesOf(answer).get("/6/0/5"));
        expectTrue("Timestamp is that of the measurement", ageS >= 0 && ageS < 5, ageS);
      }
    },
  },
  {
    id: "1.1-int-1900",
    title: "BinaryAppDataContainer: observe data",
    note: "object 19 is version 1.0; the server creates its instances first",
    async run({ server }) {
      await createData(server, 0);
      expectEqual("Discover /19", linksOf(await server.discover("/19")), ["</19>", "</19/0>", "</19/0/0>;dim=1"]);
      await server.writeAttributes("/19/0/0?pmin=1&pmax=2");
      const observation = await server.observe("/19/0/0");
      expectContent(observation.first, { "/19/0/0/0": DATA });
      for (let round = 0; round < 2; round++) expectContent(await observation.next(1, 2), { "/19/0/0/0": DATA });
    },
  },
  {
    id: "1.1-int-1901",
    title: "BinaryAppDataContainer: write data",
    note: "the server creates the instances first",
    async run({ server }) {
      await createData(server, 1);
      const values = { "/19/1/0/0": utf8Encode('{"valve":0}') };
      expectCode(await server.ask("PUT", "/19/1/0", payloadOf("/19/1/0", values, ContentFormat.tlv)), "2.04");
      expectContent(await server.read("/19/1/0", ContentFormat.tlv), values, ContentFormat.tlv);
    },
  },
  {
    id: "1.1-int-2000",
    title: "Event Log: write LogStart",
    note: "LogStart is executed, not written and read as print has it; its arguments by the grammar of Execute",
    async run({ server }) {
      await server.execute("/20/0/4012");
      expectContent(await server.read("/20/0/4013"), { "/20/0/4013": 3 });
      expectCode(await server.ask("POST", "/20/0/4011", { payload: "0='0',1='100'" }), "2.04");
      expectContent(await server.read("/20/0/4013"), { "/20/0/4013": 0 });
      expectCode(await server.read("/20/0/4011"), "4.05");
    },
  },
  {
    id: "1.1-int-2001",
    title: "Event Log: read",
    async run({ server }) {
      await server.execute("/20/0/4012");
      const expected = { "/20/0/4010": 0, "/20/0/4013": 3, "/20/0/4014": undefined };
      const answer = await server.read("/20/0", ContentFormat.tlv);
      expectContent(answer, expected, ContentFormat.tlv);
      const text = Buffer.from(valuesOf(answer).get("/20/0/4014") as Uint8Array).toString();
      expectTrue("LogData tells of the registration", text.includes("info registered"), text);
    },
  },
  {
    id: "causeway-device-1",
    title: "Device: Factory Reset forgets what servers have brought",
    async run({ server }) {
      await createPortfolio(server, 0, ["a"]);
      await server.write("/1/0/1", 60);
      await server.next("Update");
      await server.execute("/3/0/5");
      const { query, links } = await server.next("Register");
      expectTrue("lifetime of the configuration", query.includes("lt=86400"), query);
      expectTrue("no instance of object 16", !links.includes("</16/0>"), links);
    },
  },
];

async function createData(server: Server, instanceId: number): Promise<void> {
  const values = { [`/19/${instanceId}/0/0`]: DATA };
  expectCode(await server.ask("POST", "/19", payloadOf("/19", values, ContentFormat.senmlCbor)), "2.01");
}
