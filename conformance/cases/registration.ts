import { setTimeout as elapse } from "node:timers/promises";
import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { parseLinks } from "../../src/lwm2m/codec/links.js";
import type { ConformanceCase } from "../case.js";
import { expectCode, expectEqual, expectTrue } from "../difference.js";
import type { ClientRequest } from "../server.js";

/** ETS §6.2, and §6.3.28 (Reboot) and §6.6.9.1 (two servers), which end in a registration. */
export const registration: readonly ConformanceCase[] = [
  {
    id: "1.1-int-101",
    title: "Initial Registration",
    entry: "TestFest",
    run: async ({ registration }) => expectRegistration(registration),
  },
  {
    id: "1.1-int-102",
    title: "Registration Update",
    entry: "TestFest",
    async run({ server }) {
      await server.write("/1/0/1", 20);
      expectEqual("query of the Update", (await server.next("Update")).query, ["lt=20"]);
      const refresh = await server.next("Update", 20_000);
      expectEqual("query of the Update before the lifetime ends", refresh.query, []);
    },
  },
  {
    id: "1.1-int-103",
    title: "Deregistration",
    async run({ server }) {
      await server.execute("/1/0/4");
      await server.next("Deregister");
    },
  },
  {
    id: "1.1-int-104",
    title: "Registration Update Trigger",
    async run({ server }) {
      await server.execute("/1/0/8");
      const { query, links } = await server.next("Update");
      expectEqual("parameters of the Update", [...query, links], [""]);
    },
  },
  {
    id: "1.1-int-105",
    title: "Discarded Register Update",
    async run({ server }) {
      server.refusals.set("Update", "4.04");
      await server.write("/1/0/1", 60);
      await server.next("Update");
      expectRegistration(await server.next("Register"), 60);
    },
  },
  {
    id: "1.1-int-107",
    title: "Extending the lifetime of a registration",
    async run({ server }) {
      await server.write("/1/0/1", 60);
      await server.next("Update");
      await server.write("/1/0/1", 120);
      expectEqual("query of the Update", (await server.next("Update")).query, ["lt=120"]);
    },
  },
  {
    id: "1.1-int-108",
    title: "Turn on Queue Mode",
    server: { queueMode: true },
    async run({ server, registration }) {
      expectTrue("Q is there", registration.query.includes("Q"), registration.query);
      expectCode(await server.read("/3/0/16", ContentFormat.text), "2.05");
    },
  },
  {
    id: "1.1-int-109",
    title: "Behavior in Queue Mode",
    server: { queueMode: true, awakeTime: "4s", lifetime: "20s" },
    note: "the window of 93 s is one of 4 s",
    async run({ server }) {
      expectCode(await server.read("/3/0/0", ContentFormat.text), "2.05");
      await elapse(5000);
      expectEqual("an answer while the client sleeps", await server.answers("/3/0/0", 1000), false);
      server.clear();
      await server.next("Update");
      expectCode(await server.read("/3/0/0", ContentFormat.text), "2.05");
    },
  },
  {
    id: "1.2-int-110",
    title: "Initial Registration using Profile ID",
    server: { profile: { id: "6:27354b9a" } },
    async run({ registration: { query, payload } }) {
      expectTrue("pid is there", query.includes("pid=6:27354b9a"), query);
      expectEqual("bytes of the payload", payload.length, 0);
    },
  },
  {
    id: "1.2-int-111",
    title: "Initial Registration using Profile ID and Object List",
    server: { profile: { id: "6:27354b9a", objects: "sent" } },
    async run({ registration: { query, links } }) {
      expectTrue("pid is there", query.includes("pid=6:27354b9a"), query);
      expectTrue("/3/0 is listed", links.includes("</3/0>"), links);
    },
  },
  {
    id: "1.1-int-241",
    title: "Executable Resource: Rebooting the device",
    async run({ server }) {
      await server.execute("/3/0/4");
      expectRegistration(await server.next("Register"));
    },
  },
  {
    id: "1.1-int-950",
    title: "Multi-Servers Registration",
    servers: 2,
    async run({ registration, second }) {
      expectRegistration(registration);
      expectRegistration(await second.next("Register"));
    },
  },
];

function expectRegistration({ query, links, contentFormat }: ClientRequest, lifetimeS = 86_400): void {
  const parameters = new Map(query.map((option): [string, string] => [option.split("=")[0] ?? "", option]));
  expectTrue("ep is there", parameters.has("ep"), query);
  expectEqual("lifetime", parameters.get("lt"), `lt=${lifetimeS}`);
  expectTrue("lwm2m=1.1 or later", /^lwm2m=1\.[12]$/.test(parameters.get("lwm2m") ?? ""), query);
  expectTrue("binding U", (parameters.get("b") ?? "b=U") === "b=U", query);
  expectEqual("Content-Format", contentFormat, 40);
  const targets = parseLinks(links).map(({ target }) => target);
  for (const path of ["/1/0", "/3/0"]) expectTrue(`${path} is listed`, targets.includes(path), links);
  expectTrue("no /0 and no /21", !targets.some((target) => /^\/(0|21)(\/|$)/.test(target)), links);
}
