import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { linksOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectCode, expectContent, expectEqual } from "../difference.js";
import { payloadOf } from "../payload.js";
import { hex, type Server } from "../server.js";

/** Creates /16/ID with the texts as instances of Identity. */
export async function createPortfolio(server: Server, instanceId: number, texts: readonly string[]): Promise<void> {
  const values = Object.fromEntries(texts.map((text, id) => [`/16/${instanceId}/0/${id}`, text]));
  expectCode(await server.ask("POST", "/16", payloadOf("/16", values, ContentFormat.senmlCbor)), "2.01");
}

/** ETS §6.7.5. */
export const portfolio: readonly ConformanceCase[] = [
  {
    id: "1.1-int-1630",
    title: "Create Portfolio Object Instance",
    note: "its second TLV with the length flag that print lacks",
    async run({ server }) {
      await createPortfolio(server, 0, ["ID #1", "Manufacturer #1", "Model #1", "Version #1"]);
      expectEqual("Discover /16/0", linksOf(await server.discover("/16/0")), ["</16/0>", "</16/0/0>;dim=4"]);
      const answer = await server.ask("POST", "/16", { contentFormat: ContentFormat.tlv, payload: SECOND });
      expectCode(answer, "2.01");
      expectEqual("location of the new instance", answer.locationPath, ["16", "1"]);
      expectEqual("Discover /16/1", linksOf(await server.discover("/16/1")), ["</16/1>", "</16/1/0>;dim=2"]);
      const expected = {
        "/16/0/0/3": "Version #1",
        "/16/1/0/0": "Host Device ID #2",
        "/16/1/0/1": "Host Device Model #2",
      };
      expectContent(await server.read("/16", ContentFormat.tlv), expected, ContentFormat.tlv);
    },
  },
  {
    id: "1.1-int-1635",
    title: "Delete all Portfolio Object Instances",
    async run({ server }) {
      await createPortfolio(server, 0, ["a", "b", "c", "d"]);
      expectEqual("Discover /16/0", linksOf(await server.discover("/16/0")), ["</16/0>", "</16/0/0>;dim=4"]);
      expectCode(await server.ask("DELETE", "/16/0"), "2.02");
      expectEqual("Discover /16", linksOf(await server.discover("/16")), ["</16>"]);
    },
  },
];

/** 1630-SetOfValues. */
const SECOND = hex(
  `08 01 2E  88 00 2B  48 00 11 ${Buffer.from("Host Device ID #2").toString("hex")}
   48 01 14 ${Buffer.from("Host Device Model #2").toString("hex")}`,
);
