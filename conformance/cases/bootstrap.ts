import { type Answer, linksOf, textOf } from "../answer.js";
import type { BootstrapServer, SenmlRecord } from "../bootstrap-server.js";
import type { BootstrapCase } from "../case.js";
import { expectCode, expectContent, expectEqual, expectTrue } from "../difference.js";
import type { Server } from "../server.js";

/** ETS §6.1.1.1, §6.1.1.5 to §6.1.1.10 and §6.1.2.1. */
export const bootstrap: readonly BootstrapCase[] = [
  {
    interface: "bootstrap",
    id: "1.1-int-0",
    title: "Client Initiated Bootstrap",
    async run({ bootstrap, server }) {
      await expectRequest(bootstrap);
      const uri = await writeAccount(bootstrap, server);
      const answer = await bootstrap.discover("/");
      expectCode(answer, "2.05");
      expectTrue("the enabler's version comes first", /^<\/>;lwm2m=1\.2,/.test(textOf(answer)), textOf(answer));
      expectLinks(answer, [`</0/0>;ssid=1;uri=${uri}`, "</0/1>", "</1/0>;ssid=1", "</3/0>"]);
      expectCode(await bootstrap.finish(), "2.04");
    },
  },
  {
    interface: "bootstrap",
    id: "1.1-int-4",
    title: "Bootstrap Delete",
    async run({ bootstrap, server }) {
      await expectRequest(bootstrap);
      await writeAccount(bootstrap, server);
      expectLinks(await bootstrap.discover("/1"), ["</1/0>;ssid=1"]);
      expectContent(await bootstrap.read("/1"), { "/1/0/0": 1, "/1/0/1": 86_400, "/1/0/7": "U" });
      for (const path of ["/0", "/1"]) expectCode(await bootstrap.ask("DELETE", path), "2.02");
      expectLinks(await bootstrap.discover("/0"), ["</0/1>"]);
      expectLinks(await bootstrap.discover("/1"), ["</1>"]);
      expectCode(await bootstrap.read("/1"), "2.05");
      await writeAccount(bootstrap, server);
      expectCode(await bootstrap.finish(), "2.04");
      await server.next("Register");
    },
  },
  {
    interface: "bootstrap",
    id: "1.1-int-5",
    title: "Server Initiated Bootstrap",
    factory: "server",
    async run({ bootstrap, server }) {
      await server.next("Register");
      await server.execute("/1/0/9");
      await expectRequest(bootstrap);
      expectCode(await bootstrap.finish(), "2.04");
    },
  },
  {
    interface: "bootstrap",
    id: "1.1-int-6",
    title: "Bootstrap Sequence",
    note: "the gateway has no smartcard",
    factory: "server",
    async run({ bootstrap, server }) {
      await server.next("Register");
      await expectNoRequest(bootstrap);
    },
  },
  {
    interface: "bootstrap",
    id: "1.1-int-7",
    title: "Fallback to bootstrap",
    note: "the server that refuses comes by a first bootstrap, with one attempt, so that the case ends soon",
    async run({ bootstrap, server }) {
      server.refusals.set("Register", "4.03");
      await expectRequest(bootstrap);
      await writeAccount(bootstrap, server, [
        { n: "17", v: 1 },
        { n: "18", v: 1 },
        { n: "20", v: 1 },
      ]);
      expectCode(await bootstrap.finish(), "2.04");
      await server.next("Register");
      await expectRequest(bootstrap);
      await writeAccount(bootstrap, server);
      expectCode(await bootstrap.finish(), "2.04");
      await server.next("Register");
    },
  },
  {
    interface: "bootstrap",
    id: "1.1-int-8",
    title: "Bootstrap Read",
    async run({ bootstrap, server }) {
      await expectRequest(bootstrap);
      await writeAccount(bootstrap, server);
      await bootstrap.write("/2/0", [
        { bn: "/2/0/", n: "0", v: 3 },
        { n: "1", v: 0 },
        { n: "2/0", v: 31 },
        { n: "3", v: 65_535 },
      ]);
      expectContent(await bootstrap.read("/1"), { "/1/0/0": 1, "/1/0/1": 86_400, "/1/0/6": false, "/1/0/7": "U" });
      const lists = { "/2/0/0": 3, "/2/0/1": 0, "/2/0/2/0": 31, "/2/0/3": 65_535 };
      expectContent(await bootstrap.read("/2"), lists);
      expectCode(await bootstrap.finish(), "2.04");
    },
  },
  {
    interface: "bootstrap",
    id: "1.1-int-9",
    title: "Bootstrap and Configuration Consistency",
    async run({ bootstrap }) {
      await expectRequest(bootstrap);
      expectCode(await bootstrap.ask("PUT", "/1/0/5", { contentFormat: 0, payload: "86400" }), "2.04");
      expectCode(await bootstrap.finish(), "4.06");
    },
  },
  {
    interface: "bootstrap",
    id: "1.2-int-12",
    title: "Bootstrap-Pack",
    pack: "try",
    async prepare({ bootstrap, server }) {
      bootstrap.pack = [...securityAccount(await server.uri()), ...serverAccount()];
    },
    async run({ bootstrap, server }) {
      const { query, accept } = await bootstrap.next("Pack", START_MS);
      expectEqual("query of the Bootstrap-Pack-Request", query, ["ep=urn:dev:os:32473-ets", "acc=</0/1>"]);
      expectTrue("the accepted format may carry a pack", [110, 112, 11_544].includes(accept ?? -1), accept);
      await server.next("Register");
    },
  },
];

/** For the gateway to start on a busy machine. */
const START_MS = 30_000;
const PREFERRED = new Set(["pct=110", "pct=112", "pct=11542", "pct=11544"]);

async function expectRequest(bootstrap: BootstrapServer): Promise<void> {
  const { query } = await bootstrap.next("Request", START_MS);
  const [ep, ...others] = query;
  expectEqual("endpoint", ep, "ep=urn:dev:os:32473-ets");
  expectTrue(
    "nothing else than a preferred format",
    others.every((option) => PREFERRED.has(option)),
    query,
  );
}

async function expectNoRequest(bootstrap: BootstrapServer): Promise<void> {
  const request = await bootstrap.next("Request", 3000).catch(() => undefined);
  expectEqual("Bootstrap-Requests of a client that is registered", request, undefined);
}

/** 0-SetOfValues in the mode NoSec, and perhaps more of object 1; gives the server's URI. */
async function writeAccount(
  bootstrap: BootstrapServer,
  server: Server,
  more: readonly SenmlRecord[] = [],
): Promise<string> {
  const uri = await server.uri();
  await bootstrap.write("/0", securityAccount(uri));
  await bootstrap.write("/1", [...serverAccount(), ...more]);
  return uri;
}

function securityAccount(uri: string): readonly SenmlRecord[] {
  return [
    { bn: "/0/0/", n: "0", vs: uri },
    { n: "1", vb: false },
    { n: "2", v: 3 },
    { n: "3", vd: "" },
    { n: "4", vd: "" },
    { n: "5", vd: "" },
    { n: "10", v: 1 },
  ];
}

function serverAccount(): readonly SenmlRecord[] {
  return [
    { bn: "/1/0/", n: "0", v: 1 },
    { n: "1", v: 86_400 },
    { n: "6", vb: false },
    { n: "7", vs: "U" },
  ];
}

/** These links are there; of objects 0 and 1, no others. */
function expectLinks(answer: Answer, expected: readonly string[]): void {
  expectCode(answer, "2.05");
  const links = linksOf(answer);
  for (const link of expected) expectTrue(`${link} is discovered`, links.includes(link), links);
  const accounts = links.filter((link) => /^<\/[01][/>]/.test(link) && !expected.includes(link));
  expectEqual("other accounts", accounts, []);
}
