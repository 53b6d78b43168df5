import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { linksOf, textOf, valuesOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectCode, expectContent, expectEqual, expectTrue } from "../difference.js";
import { payloadOf, type Values } from "../payload.js";
import type { Ask, Server } from "../server.js";

const { text, cbor, opaque, tlv, senmlJson, senmlCbor, lwm2mCbor } = ContentFormat;

/** A value of each type for the test object 3442. */
const SINGLE: Values = {
  "/3442/0/110": "text ß",
  "/3442/0/120": -5_000_000_000,
  "/3442/0/125": 2n ** 63n + 1n,
  "/3442/0/130": 2.5,
  "/3442/0/140": true,
  "/3442/0/150": Uint8Array.of(1, 2, 254),
  "/3442/0/160": 1_700_000_000,
  "/3442/0/170": { objectId: 3, instanceId: 0 },
  "/3442/0/180": "</3442/0>;ver=1.0",
};
const MULTIPLE: Values = { "/3442/0/1110/0": "a", "/3442/0/1110/7": "b" };
const NUMERIC = ["/3442/0/120", "/3442/0/125", "/3442/0/130"] as const;

/**
 * What the integration tests of Leshan 2.0 assert of a client, and the ETS does not. Where Leshan's client answers
 * otherwise than OMA LwM2M Core 1.2 says, the case follows the latter and its note tells the difference.
 */
export const leshan: readonly ConformanceCase[] = [
  {
    id: "leshan-read-01",
    title: "ReadSingleValueTest: each type in each format",
    async run({ server }) {
      for (const [path, value] of Object.entries(SINGLE)) {
        expectCode(await server.ask("PUT", path, payloadOf(path, { [path]: value }, tlv)), "2.04");
        const formats = path.endsWith("/150") ? [opaque] : [];
        for (const format of [text, cbor, tlv, senmlJson, senmlCbor, lwm2mCbor, ...formats]) {
          expectContent(await server.read(path, format), { [path]: value }, format);
        }
      }
    },
  },
  {
    id: "leshan-read-02",
    title: "ReadMultiValueTest: objects, instances, multiple resources and their instances",
    async run({ server }) {
      expectCode(await server.ask("PUT", "/3442/0/1110", payloadOf("/3442/0/1110", MULTIPLE, tlv)), "2.04");
      for (const format of [tlv, senmlJson, senmlCbor, lwm2mCbor]) {
        for (const path of ["/3442", "/3442/0", "/3442/0/1110"]) {
          expectContent(await server.read(path, format), MULTIPLE, format);
        }
      }
      expectEqual("/3442/0/1110/7", textOf(await server.read("/3442/0/1110/7", text)), "b");
      const empty = await server.read("/16", senmlJson);
      expectContent(empty, {});
      expectEqual("values of an object without instances", valuesOf(empty).size, 0);
    },
  },
  {
    id: "leshan-read-03",
    title: "ReadFailedTest: what is not there or cannot be read",
    async run({ server }) {
      for (const path of ["/9999", "/3442/9", "/3442/0/999", "/3442/0/1110/9"])
        expectCode(await server.read(path), "4.04");
      expectCode(await server.read("/3/0/4"), "4.05");
      const single = await server.read("/3/0/0/0");
      expectTrue("a resource instance of a single resource is an error", single.code.startsWith("4."), single.code);
      expectCode(await server.read("/3442/0", text), "4.06");
    },
  },
  {
    id: "leshan-discover-01",
    title: "DiscoverTest: paths that are not there",
    async run({ server }) {
      for (const path of ["/9999", "/3442/9", "/3442/0/999"]) expectCode(await server.discover(path), "4.04");
      const links = linksOf(await server.discover("/3/0/11"));
      expectTrue("dim of a multiple resource", links.includes("</3/0/11>;dim=1"), links);
    },
  },
  {
    id: "leshan-execute-01",
    title: "ExecuteTest: resources with values, what is not there, arguments",
    note: "objects 0 and 21 are 4.01 for every operation (ETS 221); Leshan's client answers 4.04",
    async run({ server }) {
      for (const path of ["/3/0/0", "/3/0/15"]) expectCode(await server.ask("POST", path), "4.05");
      for (const path of ["/9999/0/0", "/3442/9/0", "/3/0/99"]) expectCode(await server.ask("POST", path), "4.04");
      expectCode(await server.ask("POST", "/0/0/3"), "4.01");
      const args = (payload: string): Ask => ({ contentFormat: text, payload });
      expectCode(await server.ask("POST", "/3442/0/3", args("0='hello',3")), "2.04");
      for (const wrong of ["a", "0='x", "0,0", "10", "0='it's'"]) {
        expectCode(await server.ask("POST", "/3442/0/3", args(wrong)), "4.00");
      }
    },
  },
  {
    id: "leshan-delete-01",
    title: "DeleteTest: what may not be deleted",
    note: "a resource is 4.05, since there is no such operation; Leshan's client answers 4.00",
    async run({ server }) {
      expectCode(await server.ask("DELETE", "/16/9"), "4.04");
      expectCode(await server.ask("DELETE", "/3/0"), "4.05");
      expectCode(await server.ask("DELETE", "/0/0"), "4.01");
      expectCode(await server.ask("DELETE", "/3442/0/110"), "4.05");
      expectCode(await server.ask("DELETE", "/16"), "4.05");
    },
  },
  {
    id: "leshan-create-01",
    title: "CreateTest: with and without an instance id, and what is refused",
    note: "object 0 is 4.01 for every operation (ETS 221); Leshan's client answers 4.04",
    async run({ server }) {
      const created = await server.ask("POST", "/16", {
        contentFormat: tlv,
        payload: Buffer.from("8300410061", "hex"),
      });
      expectCode(created, "2.01");
      expectEqual("its place", created.locationPath, ["16", "0"]);
      const named = await server.ask("POST", "/16", payloadOf("/16", { "/16/5/0/0": "b" }, senmlJson));
      expectCode(named, "2.01");
      expectContent(await server.read("/16/5"), { "/16/5/0/0": "b" });
      expectCode(await server.ask("POST", "/16", payloadOf("/16", { "/16/5/0/0": "c" }, senmlJson)), "4.00");
      expectContent(await server.read("/16/5"), { "/16/5/0/0": "b" });
      expectCode(await server.ask("POST", "/16", payloadOf("/16", { "/16/6/3": 1 }, senmlJson)), "4.00");
      expectCode(await server.read("/16/6"), "4.04");
      expectCode(await server.ask("POST", "/9999", payloadOf("/16", { "/16/7/0/0": "d" }, senmlJson)), "4.04");
      expectCode(await server.ask("POST", "/0", payloadOf("/16", { "/16/7/0/0": "d" }, tlv)), "4.01");
    },
  },
  {
    id: "leshan-write-01",
    title: "WriteSingleValueTest: each type in each format",
    async run({ server }) {
      for (const [path, value] of Object.entries(SINGLE)) {
        const formats = path.endsWith("/150") ? [opaque] : [];
        for (const format of [text, cbor, tlv, senmlJson, senmlCbor, lwm2mCbor, ...formats]) {
          await server.execute("/3442/0/2");
          expectCode(await server.ask("PUT", path, payloadOf(path, { [path]: value }, format)), "2.04");
          expectContent(await server.read(path, senmlCbor), { [path]: value });
        }
      }
    },
  },
  {
    id: "leshan-write-02",
    title: "WriteMultiValueTest: replace and update of instances and of multiple resources",
    async run({ server }) {
      const multiple = "/3442/0/1110";
      const write = async (method: "PUT" | "POST", values: Values): Promise<void> =>
        expectCode(await server.ask(method, multiple, payloadOf(multiple, values, senmlCbor)), "2.04");
      await write("PUT", { [`${multiple}/0`]: "Red", [`${multiple}/1`]: "Green" });
      await write("POST", { [`${multiple}/1`]: "Yellow", [`${multiple}/3`]: "Blue" });
      await expectInstances(server, multiple, { 0: "Red", 1: "Yellow", 3: "Blue" });
      await write("PUT", { [`${multiple}/1`]: "Yellow", [`${multiple}/3`]: "Blue" });
      await expectInstances(server, multiple, { 1: "Yellow", 3: "Blue" });
      expectCode(await server.ask("PUT", multiple, { contentFormat: tlv, payload: new Uint8Array() }), "2.04");
      await expectInstances(server, multiple, {});
      const zone = { "/3/0/14": "+01:00" };
      expectCode(await server.ask("POST", "/3/0", payloadOf("/3/0", zone, tlv)), "2.04");
      expectContent(await server.read("/3/0"), { ...zone, "/3/0/15": undefined });
    },
  },
  {
    id: "leshan-write-03",
    title: "WriteFailedTest: incomplete, of the wrong type, out of range, to what is not there",
    async run({ server }) {
      const incomplete = payloadOf("/1/0", { "/1/0/2": 5 }, tlv);
      expectCode(await server.ask("PUT", "/1/0", incomplete), "4.00");
      expectCode(await server.ask("PUT", "/3442/0/120", { contentFormat: text, payload: "1.5" }), "4.00");
      expectCode(await server.ask("PUT", "/3442/0/140", { contentFormat: text, payload: "2" }), "4.00");
      expectCode(await server.ask("PUT", "/3442/0/150", { contentFormat: text, payload: "*" }), "4.00");
      expectCode(await server.ask("PUT", "/3442/0/170", { contentFormat: text, payload: "3:9" }), "4.00");
      expectCode(await server.ask("PUT", "/3442/9/120", { contentFormat: text, payload: "1" }), "4.04");
      expectCode(await server.ask("PUT", "/3442", incomplete), "4.05");
      expectCode(await server.ask("PUT", "/3442/0/110", { contentFormat: 9999, payload: "x" }), "4.15");
      expectContent(await server.read("/3442/0", senmlCbor), { "/3442/0/120": 1024, "/3442/0/140": true });
    },
  },
  {
    id: "leshan-write-04",
    title: "WriteCompositeTest: values of several objects, and new resource instances",
    async run({ server }) {
      const values: Values = { "/1/0/2": 3, "/3/0/15": "Europe/Paris", "/3442/0/1110/4": "new" };
      for (const format of [senmlJson, senmlCbor]) {
        expectCode(await server.ask("iPATCH", "/", payloadOf("/", values, format)), "2.04");
        expectContent(await server.readComposite(Object.keys(values), senmlCbor), values);
      }
      const wrong = payloadOf("/", { "/1/0/2": 9, "/3/0/0": "x" }, senmlCbor);
      expectCode(await server.ask("iPATCH", "/", wrong), "4.05");
      expectContent(await server.read("/1/0/2", senmlCbor), { "/1/0/2": 3 });
    },
  },
  {
    id: "leshan-observe-01",
    title: "ObserveTest: a resource instance, a resource, an instance and an object",
    async run({ server }) {
      const targets = ["/3442/0/1110/0", "/3442/0/1110", "/3442/0", "/3442"];
      expectCode(await server.ask("PUT", "/3442/0/1110", payloadOf("/3442/0/1110", MULTIPLE, tlv)), "2.04");
      for (const target of targets) {
        const observation = await server.observe(target, { accept: senmlCbor });
        expectContent(observation.first, { "/3442/0/1110/0": undefined });
        await server.write("/3442/0/1110/0", `seen at ${target}`);
        expectContent(await observation.next(0, 2), { "/3442/0/1110/0": `seen at ${target}` });
        await observation.cancel();
        await server.write("/3442/0/1110/0", "unseen");
        await observation.expectSilence(500);
      }
    },
  },
  {
    id: "leshan-observe-02",
    title: "ObserveTest: what is observed is deleted",
    async run({ server }) {
      expectCode(await server.ask("POST", "/16", payloadOf("/16", { "/16/0/0/0": "a" }, senmlJson)), "2.01");
      const instance = await server.observe("/16/0", { accept: senmlCbor });
      const object = await server.observe("/16", { accept: senmlCbor });
      expectCode(await server.ask("DELETE", "/16/0"), "2.02");
      expectCode(await instance.end(3000), "4.04");
      expectEqual("values of the object", valuesOf(await object.next(0, 2)).size, 0);
    },
  },
  {
    id: "leshan-attributes-01",
    title: "WriteAttributeObserveTest: gt, lt and st of each numeric type",
    async run({ server }) {
      for (const path of NUMERIC) {
        await server.write(path, 20);
        await server.writeAttributes(`${path}?gt=30&lt=10&st=5`);
        const observation = await server.observe(path, { accept: senmlCbor });
        const expectTold = async (value: number): Promise<void> => {
          await server.write(path, value);
          expectContent(await observation.next(0, 2), { [path]: value });
        };
        const expectUntold = async (value: number): Promise<void> => {
          await server.write(path, value);
          await observation.expectSilence(300);
        };
        await expectUntold(24);
        await expectTold(31);
        await expectUntold(34);
        await expectTold(29);
        await expectUntold(25);
        await expectTold(9);
        await expectTold(11);
        await expectTold(17);
        await observation.cancel();
      }
    },
  },
  {
    id: "leshan-attributes-02",
    title: "WriteAttributeFailedTest: sets that contradict themselves, and what does not apply",
    note: "a pmin above pmax is no error (Core 7.3.2); Leshan's client answers 4.00",
    async run({ server }) {
      for (const query of ["lt=30&gt=20", "gt=30&lt=20&st=6", "st=-1", "epmin=9&epmax=5", "pmin=-1", "edge=1", "x=1"]) {
        expectCode(await server.ask("PUT", `/3442/0/130?${query}`), "4.00");
      }
      for (const path of ["/3442/0", "/3442/0/110"]) expectCode(await server.ask("PUT", `${path}?gt=1`), "4.00");
      expectCode(await server.ask("PUT", "/9999?pmin=1"), "4.04");
      expectCode(await server.ask("PUT", "/3442/0/130?pmin=20&pmax=10"), "2.04");
      const links = linksOf(await server.discover("/3442/0/130"));
      expectEqual("attributes after the refusals", links, ["</3442/0/130>;pmax=10;pmin=20"]);
    },
  },
  {
    id: "leshan-attributes-03",
    title: "WriteAttributeHouseKeepingTest: attributes go with what they were attached to",
    async run({ server }) {
      const create = async (): Promise<void> =>
        expectCode(await server.ask("POST", "/16", payloadOf("/16", { "/16/0/0/0": "a" }, senmlJson)), "2.01");
      await create();
      for (const path of ["/16/0", "/16/0/0", "/16/0/0/0"]) await server.writeAttributes(`${path}?pmin=5`);
      expectTrue("they are there", textOf(await server.discover("/16/0/0")).includes("pmin=5"), "none");
      expectCode(await server.ask("DELETE", "/16/0"), "2.02");
      await create();
      expectTrue("none is left", !textOf(await server.discover("/16/0/0")).includes("pmin"), "pmin");
      await server.writeAttributes("/16/0?pmin=5&pmax=9");
      await server.writeAttributes("/16/0?pmin");
      const links = linksOf(await server.discover("/16/0"));
      expectTrue("one is taken back, the other stays", links.includes("</16/0>;pmax=9"), links);
    },
  },
];

async function expectInstances(
  server: Server,
  path: string,
  expected: Readonly<Record<number, string>>,
): Promise<void> {
  const values = valuesOf(await server.read(path, ContentFormat.senmlCbor));
  const actual = Object.fromEntries([...values].map(([of, value]) => [of.slice(path.length + 1), value]));
  expectEqual(`instances of ${path}`, actual, expected);
}
