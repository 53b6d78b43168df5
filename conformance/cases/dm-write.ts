import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { valuesOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectCode, expectContent, expectEqual, expectTrue } from "../difference.js";
import { payloadOf, type Values, writable } from "../payload.js";
import { type Ask, hex, type Server } from "../server.js";
import { createPortfolio } from "./portfolio.js";

/** What configuration C.3 says of the Server object and a server may write. */
const C3: Values = { "/1/0/2": 1, "/1/0/3": 10, "/1/0/5": 86_400, "/1/0/6": false, "/1/0/7": "U" };
const OTHER: Values = { "/1/0/2": 101, "/1/0/3": 1010, "/1/0/5": 2000, "/1/0/6": true, "/1/0/7": "U" };
const IDENTITY: Values = { "/16/0/0/0": "aa", "/16/0/0/1": "bb", "/16/0/0/2": "cc", "/16/0/0/3": "dd" };

/** ETS §6.3, Write and Write-Composite; §6.6.4. */
export const dmWrite: readonly ConformanceCase[] = [
  {
    id: "1.1-int-205",
    title: "Setting basic information in Plain Text format",
    async run({ server }) {
      for (const values of [
        { "/1/0/2": 101, "/1/0/3": 1010, "/1/0/5": 2000 },
        { "/1/0/2": 1, "/1/0/3": 10, "/1/0/5": 86_400 },
      ]) {
        for (const [path, value] of Object.entries(values)) await server.write(path, value);
        expectContent(await server.read("/1/0", ContentFormat.tlv), values, ContentFormat.tlv);
      }
    },
  },
  {
    id: "1.1-int-212",
    title: "Setting basic information in CBOR format",
    async run({ server }) {
      const values = { "/1/0/2": 101, "/1/0/3": 1010, "/1/0/6": true };
      for (const [path, value] of Object.entries(values)) {
        await expectChanged(server, "PUT", path, payloadOf(path, { [path]: value }, ContentFormat.cbor));
      }
      expectContent(await server.read("/1/0"), values);
    },
  },
  {
    id: "1.1-int-215",
    title: "Setting basic information in TLV format",
    run: ({ server }) => updateAndReplace(server, ContentFormat.tlv, hex("C10265 C20303F2 C20507D0 C10601 C10755")),
  },
  {
    id: "1.1-int-220",
    title: "Setting basic information in JSON format",
    note: "the values in the JSON of LwM2M 1.0; the payload in print is none",
    run: ({ server }) =>
      updateAndReplace(
        server,
        ContentFormat.json,
        '{"bn":"/1/0/","e":[{"n":"2","v":101},{"n":"3","v":1010},{"n":"5","v":2000},{"n":"6","bv":true},{"n":"7","sv":"U"}]}',
      ),
  },
  {
    id: "1.1-int-226",
    title: "Write (Partial Update) on Object Instance",
    async run({ server }) {
      const values = { "/1/0/1": 61, "/1/0/6": true };
      await expectChanged(server, "POST", "/1/0", payloadOf("/1/0", values, ContentFormat.senmlCbor));
      await expectLifetime(server, 61);
      expectContent(await server.read("/1/0"), { ...values, "/1/0/7": "U" });
      const saved = { "/1/0/1": 86_400, "/1/0/6": false };
      await expectChanged(server, "POST", "/1/0", payloadOf("/1/0", saved, ContentFormat.senmlCbor));
      await expectLifetime(server, 86_400);
    },
  },
  {
    id: "1.1-int-227",
    title: "Write (replace) on Resource",
    async run({ server }) {
      await server.write("/1/0/1", 63);
      await expectLifetime(server, 63);
      expectContent(await server.read("/1/0/1"), { "/1/0/1": 63 });
      await server.write("/1/0/1", 86_400);
      await expectLifetime(server, 86_400);
    },
  },
  {
    id: "1.1-int-228",
    title: "Write on Resource Instance",
    async run({ server }) {
      await createPortfolio(server, 0, ["aa", "bb"]);
      await server.write("/16/0/0/1", "test");
      const answer = await server.read("/16/0/0/1");
      expectContent(answer, { "/16/0/0/1": "test" });
      expectEqual("paths of the answer", [...valuesOf(answer).keys()], ["/16/0/0/1"]);
    },
  },
  {
    id: "1.1-int-230",
    title: "Write-Composite Operation",
    async run({ server }) {
      await createPortfolio(server, 0, ["1", "2", "3", "4"]);
      const values = { "/1/0/1": 61, "/1/0/6": true, ...IDENTITY };
      await expectChanged(server, "iPATCH", "/", payloadOf("/", values, ContentFormat.senmlCbor));
      await expectLifetime(server, 61);
      expectContent(await server.read("/1/0"), { "/1/0/1": 61, "/1/0/6": true });
      expectContent(await server.read("/16"), IDENTITY);
    },
  },
  {
    id: "1.1-int-233",
    title: "Setting basic information in SenML CBOR format",
    run: ({ server }) => writeLevels(server, ContentFormat.senmlCbor),
  },
  {
    id: "1.1-int-234",
    title: "Setting basic information in SenML JSON format",
    run: ({ server }) => writeLevels(server, ContentFormat.senmlJson),
  },
  {
    id: "1.1-int-256",
    title: "Write Operation Failure",
    async run({ server }) {
      expectCode(await server.ask("PUT", "/1/0/0", { contentFormat: ContentFormat.text, payload: "123" }), "4.05");
      expectContent(await server.read("/1/0/0"), { "/1/0/0": 1 });
    },
  },
  {
    id: "1.1-int-257",
    title: "Write-Composite Operation on Server and Device",
    async run({ server }) {
      await expectChanged(server, "iPATCH", "/", { contentFormat: ContentFormat.senmlCbor, payload: COMPOSITE });
      expectContent(await server.read("/1"), { "/1/0/2": 101, "/1/0/6": true });
      await expectTime(server, 0);
    },
  },
  {
    id: "1.1-int-651",
    title: "Device: Check Access to Resources",
    async run({ server }) {
      const saved = writable(valuesOf(await server.read("/3/0")));
      await expectChanged(server, "POST", "/3/0", { contentFormat: ContentFormat.tlv, payload: DEVICE });
      expectContent(await server.read("/3/0"), { "/3/0/14": "+02:00", "/3/0/15": "Europe/Paris" });
      await expectTime(server, 1_367_491_215);
      await expectChanged(server, "PUT", "/3/0", payloadOf("/3/0", saved, ContentFormat.tlv));
      const { "/3/0/13": timeS, ...others } = saved;
      expectContent(await server.read("/3/0"), others);
      await expectTime(server, Number(timeS));
    },
  },
];

/** 257-SetOfValues: /1/0/2 = 101, /1/0/6 = true, /3/0/13 = 0 in SenML CBOR. */
const COMPOSITE = hex(
  "83 A3 21 61 2F 00 65 31 2F 30 2F 32 02 18 65 A2 00 65 31 2F 30 2F 36 04 F5 A2 00 66 33 2F 30 2F 31 33 02 00",
);
/** 651-SetOfValues: Current Time, UTC Offset, Timezone. */
const DEVICE = hex("C4 0D 51 82 42 8F  C6 0E 2B 30 32 3A 30 30  C8 0F 0C 45 75 72 6F 70 65 2F 50 61 72 69 73");

async function expectChanged(server: Server, method: "PUT" | "POST" | "iPATCH", path: string, ask: Ask) {
  expectCode(await server.ask(method, path, ask), "2.04");
}

async function expectLifetime(server: Server, lifetimeS: number): Promise<void> {
  expectEqual("query of the Update", (await server.next("Update")).query, [`lt=${lifetimeS}`]);
}

/** Current Time goes on from what was written. */
async function expectTime(server: Server, writtenS: number): Promise<void> {
  const timeS = Number(valuesOf(await server.read("/3/0/13")).get("/3/0/13"));
  expectTrue(`/3/0/13 is ${writtenS} or a little later`, timeS >= writtenS && timeS < writtenS + 60, timeS);
}

async function updateAndReplace(server: Server, contentFormat: number, payload: string | Uint8Array): Promise<void> {
  await expectChanged(server, "POST", "/1/0", payloadOf("/1/0", C3, contentFormat));
  const saved = writable(valuesOf(await server.read("/1/0", contentFormat)));
  await expectChanged(server, "POST", "/1/0", { contentFormat, payload });
  expectContent(await server.read("/1/0", contentFormat), OTHER, contentFormat);
  await expectChanged(server, "PUT", "/1/0", payloadOf("/1/0", saved, contentFormat));
  expectContent(await server.read("/1/0", contentFormat), { ...saved, ...C3 }, contentFormat);
}

async function writeLevels(server: Server, contentFormat: number): Promise<void> {
  await createPortfolio(server, 0, ["a", "b"]);
  const values = { "/1/0/1": 61, "/1/0/6": true };
  await expectChanged(server, "POST", "/1/0", payloadOf("/1/0", values, contentFormat));
  await expectLifetime(server, 61);
  expectContent(await server.read("/1"), values);
  const identity = { "/16/0/0/0": "test_value" };
  await expectChanged(server, "PUT", "/16/0/0/0", payloadOf("/16/0/0/0", identity, contentFormat));
  expectContent(await server.read("/16"), { ...identity, "/16/0/0/1": "b" });
  await expectChanged(server, "PUT", "/1/0/1", payloadOf("/1/0/1", { "/1/0/1": 63 }, contentFormat));
  await expectLifetime(server, 63);
  expectContent(await server.read("/1/0/1"), { "/1/0/1": 63 });
}
