import { fromHex } from "../../src/base/bytes.js";
import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { parseLinks } from "../../src/lwm2m/codec/links.js";
import { type Answer, linksOf, linkText, textOf, valuesOf } from "../answer.js";
import type { BootstrapCase, ConformanceCase } from "../case.js";
import { expectAbsent, expectCode, expectContent, expectEqual, expectTrue, show } from "../difference.js";
import { payloadOf } from "../payload.js";
import type { ClientRequest } from "../server.js";

const field = "behind";
const UNKNOWN = "/d99/3303/0";
/** {["d01",3,0]: {1: "Room A", 16: "U"}, ["d02",3,0]: {1: "Room B", 16: "U"}}, as in §10 of the enabler. */
const BOTH_ROOMS = fromHex(
  "a2" + "83636430310300a20166526f6f6d204110" + "6155" + "83636430320300a20166526f6f6d204210" + "6155",
);

/** The rules of OMA LwM2M Gateway 1.1.1, for which there is no ETS. */
export const gateway: readonly ConformanceCase[] = [
  {
    id: "causeway-gateway-01",
    title: "Gateway: an instance of object 25 per device; no device object in the registration",
    field,
    async run({ server, registration }) {
      expectRegistered(registration);
      expectContent(await server.read("/25", ContentFormat.senmlJson), {
        "/25/0/0": "urn:dev:os:32473-101",
        "/25/0/1": "d01",
        "/25/1/0": "urn:dev:os:32473-102",
        "/25/1/1": "d02",
      });
      await server.execute("/1/0/8");
      expectEqual("object list of an Update without a change", (await server.next("Update")).links, "");
    },
  },
  {
    id: "causeway-gateway-02",
    title: "Gateway: /25/x/3 has the form of a registration, without prefix",
    field,
    async run({ server }) {
      const links = parseLinks(textOf(await server.read("/25/0/3", ContentFormat.text)));
      const expected = [
        "</3>;ver=1.2",
        "</3/0>",
        "</3300>;ver=1.1",
        "</3300/0>",
        "</3303>;ver=1.1",
        "</3303/0>",
        "</3308>;ver=1.1",
        "</3308/0>",
      ];
      const text = links.map(
        ({ target, attributes }) => `<${target}>${attributes.has("ver") ? `;ver=${attributes.get("ver")}` : ""}`,
      );
      expectEqual("links of /25/0/3", text.sort(), expected.sort());
    },
  },
  {
    id: "causeway-gateway-03",
    title: "Gateway: what is behind an unknown prefix is not found, by no operation",
    field,
    async run({ server }) {
      const value = { contentFormat: ContentFormat.text, payload: "1" };
      expectCode(await server.read(UNKNOWN), "4.04");
      expectCode(await server.discover(UNKNOWN), "4.04");
      expectCode(await server.ask("PUT", `${UNKNOWN}/5700`, value), "4.04");
      expectCode(await server.ask("PUT", `${UNKNOWN}?pmin=1`), "4.04");
      expectCode(await server.ask("POST", `${UNKNOWN}/5605`), "4.04");
      expectCode(await server.ask("DELETE", UNKNOWN), "4.04");
      expectCode((await server.observe(UNKNOWN)).first, "4.04");
      const patch = { contentFormat: ContentFormat.senmlJson, payload: '[{"n":"/d99/3308/0/5900","v":1}]' };
      expectCode(await server.ask("iPATCH", "/", patch), "4.04");
    },
  },
  {
    id: "causeway-gateway-04",
    title: "Gateway: with the prefix it is the device's object, without it the gateway's own",
    field,
    async run({ server }) {
      expectEqual("/3/0/1 of the gateway", textOf(await server.read("/3/0/1", ContentFormat.text)), "Causeway gateway");
      for (const [prefix, title] of [
        ["d01", "Room A"],
        ["d02", "Room B"],
      ] as const) {
        expectEqual(`/3/0/1 of ${prefix}`, textOf(await server.read(`/${prefix}/3/0/1`, ContentFormat.text)), title);
      }
      expectCode(await server.read("/3303/0/5700"), "4.04");
      await server.write("/d01/3308/0/5900", 19.5);
      expectContent(await server.read("/d01/3308/0/5900", ContentFormat.senmlCbor), { "/d01/3308/0/5900": 19.5 });
      expectContent(await server.read("/d02/3308/0/5900", ContentFormat.senmlCbor), { "/d02/3308/0/5900": 21 });
      await server.execute("/d01/3303/0/5605");
    },
  },
  {
    id: "causeway-gateway-05",
    title: "Gateway: Discover has no prefix in its links; attributes are of one device",
    field,
    async run({ server }) {
      await server.writeAttributes("/d01/3303/0/5700?pmin=5&gt=30");
      const links = linksOf(await server.discover("/d01/3303/0"));
      expectTrue(
        "no prefix",
        links.every((link) => link.startsWith("</3303/0")),
        links,
      );
      expectTrue("the attributes", links.includes("</3303/0/5700>;gt=30;pmin=5"), links);
      const others = linksOf(await server.discover("/d02/3303/0"));
      expectTrue("none at the other device", others.includes("</3303/0/5700>"), others);
    },
  },
  {
    id: "causeway-gateway-06",
    title: "Gateway: names in SenML and LwM2M CBOR carry the prefix",
    field,
    async run({ server }) {
      for (const format of [ContentFormat.senmlJson, ContentFormat.senmlCbor, ContentFormat.lwm2mCbor]) {
        const answer = await server.read("/d01/3303/0/5701", format);
        expectContent({ ...answer, path: "/" }, { "/d01/3303/0/5701": "Cel" }, format);
      }
      const whole = await server.readComposite(
        ["/d01/3/0/1", "/d01/3/0/16", "/d02/3/0/1", "/d02/3/0/16"],
        ContentFormat.lwm2mCbor,
      );
      expectEqual("bytes of the Read-Composite", show(whole.payload), show(BOTH_ROOMS));
      const single = await server.read("/d02/3303/0/5701", ContentFormat.text);
      expectEqual("text has no name", textOf(single), "Cel");
    },
  },
  {
    id: "causeway-gateway-07",
    title: "Gateway: Read-Composite over devices and the gateway itself",
    field,
    async run({ server }) {
      const paths = ["/3/0/16", "/d01/3303/0/5701", "/d02/3/0/1", "/d99/3/0/1"];
      for (const format of [ContentFormat.senmlJson, ContentFormat.senmlCbor, ContentFormat.lwm2mCbor]) {
        const answer = await server.readComposite(paths, format);
        expectContent(answer, { "/3/0/16": "U", "/d01/3303/0/5701": "Cel", "/d02/3/0/1": "Room B" }, format);
        expectAbsent(answer, ["/d99"]);
      }
    },
  },
  {
    id: "causeway-gateway-08",
    title: "Gateway: Write-Composite over devices and the gateway itself is all or none",
    field,
    async run({ server }) {
      const records = (n: string) =>
        JSON.stringify([
          { n: "/d01/3308/0/5900", v: 18 },
          { n: "/1/0/2", v: 7 },
          { n, v: 17 },
        ]);
      const patch = (n: string) =>
        server.ask("iPATCH", "/", { contentFormat: ContentFormat.senmlJson, payload: records(n) });
      expectCode(await patch("/d02/3303/0/5700"), "4.05");
      expectContent(await server.read("/d01/3308/0/5900", ContentFormat.senmlCbor), { "/d01/3308/0/5900": 21 });
      expectCode(await patch("/d02/3308/0/5900"), "2.04");
      const written = await server.readComposite(
        ["/d01/3308/0/5900", "/1/0/2", "/d02/3308/0/5900"],
        ContentFormat.senmlCbor,
      );
      expectContent(written, { "/d01/3308/0/5900": 18, "/1/0/2": 7, "/d02/3308/0/5900": 17 });
    },
  },
  {
    id: "causeway-gateway-09",
    title: "Gateway: Observe and Observe-Composite of several devices",
    field,
    async run({ server }) {
      const one = await server.observe("/d01/3300/0/5700", { accept: ContentFormat.senmlJson });
      const answer = await one.next(0, 3);
      expectTrue("the name carries the prefix", textOf(answer).includes("/d01/3300/0/5700"), textOf(answer));
      await one.cancel();
      const both = await server.observeComposite(["/d01/3308/0/5900", "/d02/3308/0/5900"], ContentFormat.senmlJson);
      expectContent(both.first, { "/d01/3308/0/5900": 21, "/d02/3308/0/5900": 21 });
      await server.write("/d02/3308/0/5900", 23);
      expectContent(await both.next(0, 3), { "/d01/3308/0/5900": 21, "/d02/3308/0/5900": 23 });
    },
  },
  {
    id: "causeway-gateway-10",
    title: "Gateway: Send carries objects of devices, which were never registered",
    field,
    async run({ server }) {
      // The gateway waits until the server can know the prefixes.
      await server.read("/25", ContentFormat.senmlJson);
      const sent = await server.next("Send");
      const answer: Answer = {
        of: "Send",
        path: "/",
        code: "2.05",
        contentFormat: sent.contentFormat ?? -1,
        locationPath: [],
        payload: sent.payload,
      };
      const names = [...valuesOf(answer).keys()];
      expectTrue("names with the prefix", names.length > 0 && names.every((name) => /^\/d0[12]\/3/.test(name)), names);
    },
  },
  {
    id: "causeway-gateway-11",
    title: "Gateway: Create and Delete of what devices and object 25 have are not allowed",
    field,
    async run({ server }) {
      const instance = payloadOf("/3308", { "/3308/5/5900": 1 }, ContentFormat.senmlJson);
      const behind = { ...instance, payload: '[{"n":"/d01/3308/5/5900","v":1}]' };
      expectCode(await server.ask("POST", "/d01/3308", behind), "4.05");
      expectCode(await server.ask("DELETE", "/d01/3308/0"), "4.05");
      expectCode(await server.ask("DELETE", "/d01/3/0"), "4.05");
      const another = payloadOf("/25", { "/25/7/0": "x", "/25/7/1": "d07" }, ContentFormat.senmlJson);
      expectCode(await server.ask("POST", "/25", another), "4.05");
      expectCode(await server.ask("DELETE", "/25/0"), "4.05");
      const prefix = { contentFormat: ContentFormat.text, payload: "d07" };
      expectCode(await server.ask("PUT", "/25/0/1", prefix), "4.05");
    },
  },
  {
    id: "causeway-gateway-12",
    title: "Gateway: access control holds for object 25, not behind prefixes",
    field,
    servers: 2,
    rights: [undefined, { default: [], 3: ["read"] }],
    async run({ second }) {
      await second.next("Register");
      expectCode(await second.read("/25/0"), "4.01");
      expectCode(await second.read("/3/0/1"), "2.05");
      expectCode(await second.read("/d01/3303/0/5701"), "2.05");
      await second.write("/d01/3308/0/5900", 24);
    },
  },
];

export const gatewayBootstrap: readonly BootstrapCase[] = [
  {
    interface: "bootstrap",
    id: "causeway-gateway-13",
    title: "Gateway: bootstrap operations neither reach nor report what is behind prefixes",
    field,
    factory: "server",
    async run({ bootstrap, server }) {
      await server.next("Register");
      await server.execute("/1/0/9");
      await bootstrap.next("Request");
      const targets = linksOf(await bootstrap.discover("/")).map((link) => link.replace(/>.*/, ">"));
      expectTrue("no object of a device", !targets.some((target) => /^<\/(d0|33)/.test(target)), targets);
      expectCode(await bootstrap.ask("DELETE", "/d01/3308/0"), "4.05");
      expectCode(await bootstrap.discover("/d01/3308"), "4.05");
      expectCode(await bootstrap.read("/d01/3308"), "4.05");
      const value = { contentFormat: ContentFormat.text, payload: "1" };
      expectCode(await bootstrap.ask("PUT", "/d01/3308/0/5900", value), "4.05");
      expectCode(await bootstrap.finish(), "2.04");
      expectRegistered(await server.next("Register"));
      expectContent(await server.read("/d01/3308/0/5900", ContentFormat.senmlCbor), { "/d01/3308/0/5900": 21 });
    },
  },
];

function expectRegistered({ links }: ClientRequest): void {
  const targets = parseLinks(links).map(linkText);
  for (const target of ["</25/0>", "</25/1>"]) expectTrue(`${target} is registered`, targets.includes(target), targets);
  expectTrue("object 25 has its version", /<\/25>;ver=2\.0/.test(links), links);
  expectTrue("no object of a device", !/d0|<\/33/.test(links), links);
}
