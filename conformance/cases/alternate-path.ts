import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { parseLinks } from "../../src/lwm2m/codec/links.js";
import { type Answer, linksOf, textOf, valuesOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectCode, expectContent, expectEqual, expectTrue } from "../difference.js";

const { senmlJson, senmlCbor, lwm2mCbor, text } = ContentFormat;
const LEVEL = "/lwm2m/d01/3300/0/5700";

/** The alternate path of OMA LwM2M Transport 1.2.2 §6.4.1, for which there is no ETS. */
export const alternatePath: readonly ConformanceCase[] = [
  {
    id: "causeway-root-1",
    title: "Alternate path: registration, requests, links and names",
    field: "behind",
    gateway: { path: "lwm2m" },
    async run({ server, registration }) {
      const [root, ...objects] = parseLinks(registration.links);
      expectEqual("root link", [root?.target, root?.attributes.get("rt")], ["/lwm2m", "oma.lwm2m"]);
      const isBelow = objects.every(({ target }) => /^\/lwm2m\/\d+(\/\d+)?$/.test(target));
      expectTrue("object links are below the root", isBelow, registration.links);

      expectCode(await server.read("/3/0/1", text), "4.04");
      expectCode(await server.read("/d01/3/0/1", text), "4.04");
      expectCode(await server.readComposite(["/lwm2m/3/0/1"], senmlJson), "4.04");
      expectEqual("/3/0/1", textOf(await server.read("/lwm2m/3/0/1", text)), "Causeway gateway");
      for (const format of [senmlJson, senmlCbor]) {
        expectContent(named(await server.read("/lwm2m/3/0/1", format)), { "/lwm2m/3/0/1": "Causeway gateway" }, format);
        const behind = named(await server.read("/lwm2m/d01/3303/0/5701", format));
        expectContent(behind, { "/lwm2m/d01/3303/0/5701": "Cel" }, format);
      }
      const plain = named(await server.read("/lwm2m/3/0/1", lwm2mCbor));
      expectContent(plain, { "/3/0/1": "Causeway gateway" }, lwm2mCbor);

      const links = linksOf(await server.discover("/lwm2m/1/0"));
      expectTrue("links are below the root", links.includes("</lwm2m/1/0/1>"), links);
      const payload = '[{"bn":"/lwm2m/16/5/","n":"0/0","vs":"a"}]';
      const created = await server.ask("POST", "/lwm2m/16", { contentFormat: senmlJson, payload });
      expectCode(created, "2.01");
      expectEqual("location", created.locationPath, ["lwm2m", "16", "5"]);
      expectTrue("the Update", (await server.next("Update")).links.includes("</lwm2m/16/5>"), "its object list");
      await server.write("/lwm2m/d01/3308/0/5900", 19.5);
    },
  },
  {
    id: "causeway-root-2",
    title: "Alternate path: composite operations, notifications, Send",
    field: "behind",
    gateway: { path: "lwm2m" },
    async run({ server }) {
      const paths = ["/lwm2m/1/0/1", LEVEL];
      const composite = (names: readonly string[]) => ({
        contentFormat: senmlJson,
        payload: JSON.stringify(names.map((n) => ({ n }))),
        accept: senmlCbor,
      });
      const read = named(await server.ask("FETCH", "/lwm2m", composite(paths)));
      expectEqual("names of a Read-Composite", [...valuesOf(read).keys()], paths);
      expectCode(await server.ask("FETCH", "/lwm2m", composite(["/1/0/1"])), "4.00");
      const patch = { contentFormat: senmlJson, payload: '[{"n":"/lwm2m/d02/3308/0/5900","v":23}]' };
      expectCode(await server.ask("iPATCH", "/lwm2m", patch), "2.04");
      expectEqual("what was written", textOf(await server.read("/lwm2m/d02/3308/0/5900", text)), "23");

      const observation = await server.observe(LEVEL, { accept: senmlCbor });
      const notified = named(await observation.next(0, 5));
      expectEqual("names of a notification", [...valuesOf(notified).keys()], [LEVEL]);
      await observation.cancel();

      await server.write("/lwm2m/1/0/23", 0);
      const sent = await server.next("Send");
      const answer = { ...read, contentFormat: sent.contentFormat ?? -1, payload: sent.payload };
      const names = [...valuesOf(answer).keys()];
      expectTrue("names of a Send", names.length > 0 && names.every((name) => name.startsWith("/lwm2m/d0")), names);
    },
  },
];

/** With all names that the payload has, and not only what is below the request's path. */
function named(answer: Answer): Answer {
  return { ...answer, path: "/" };
}
