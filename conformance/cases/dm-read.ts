import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { valuesOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectAbsent, expectCode, expectContent, expectTrue } from "../difference.js";
import type { Server } from "../server.js";

const SERVER = { "/1/0/0": 1, "/1/0/1": 86_400, "/1/0/6": undefined, "/1/0/7": "U" };
const DEVICE = {
  "/3/0/0": undefined,
  "/3/0/1": undefined,
  "/3/0/2": undefined,
  "/3/0/3": undefined,
  "/3/0/11/0": 0,
  "/3/0/16": "U",
};

/** ETS §6.3, Read and Read-Composite; §6.6.4.2. */
export const dmRead: readonly ConformanceCase[] = [
  {
    id: "1.1-int-201",
    title: "Querying basic information from the client in Plain Text format",
    entry: "TestFest",
    async run({ server }) {
      for (const path of ["/3/0/0", "/3/0/1", "/3/0/2"]) {
        expectContent(await server.read(path, ContentFormat.text), { [path]: undefined }, ContentFormat.text);
      }
    },
  },
  {
    id: "1.1-int-203",
    title: "Querying basic information from the client in TLV format",
    entry: "TestFest",
    run: ({ server }) => expectDevice(server, ContentFormat.tlv),
  },
  {
    id: "1.1-int-204",
    title: "Querying basic information from the client in JSON format",
    run: ({ server }) => expectDevice(server, ContentFormat.json),
  },
  {
    id: "1.1-int-211",
    title: "Querying basic information in CBOR format",
    async run({ server }) {
      await server.write("/1/0/6", 0);
      for (const [path, value] of [["/1/0/0", 1] as const, ["/1/0/6", false] as const, ["/1/0/7", "U"] as const]) {
        expectContent(await server.read(path, ContentFormat.cbor), { [path]: value }, ContentFormat.cbor);
      }
    },
  },
  {
    id: "1.1-int-221",
    title: "Attempt to perform operations on Security",
    async run({ server }) {
      expectCode(await server.read("/0"), "4.01");
      expectCode(await server.ask("PUT", "/0/0/0", { contentFormat: 0, payload: "coap://127.0.0.1" }), "4.01");
      expectCode(await server.ask("PUT", "/0?pmin=30&pmax=45"), "4.01");
    },
  },
  {
    id: "1.1-int-222",
    title: "Read on Object",
    async run({ server }) {
      expectContent(await server.read("/1"), SERVER);
      const device = await server.read("/3");
      expectContent(device, DEVICE);
      expectTrue(
        "the instance is 0",
        [...valuesOf(device).keys()].every((path) => path.startsWith("/3/0/")),
        "others",
      );
    },
  },
  {
    id: "1.1-int-223",
    title: "Read on Object Instance",
    async run({ server }) {
      expectContent(await server.read("/1/0"), SERVER);
      expectContent(await server.read("/3/0"), DEVICE);
    },
  },
  {
    id: "1.1-int-224",
    title: "Read on Resource",
    async run({ server }) {
      for (const [path, value] of Object.entries({ ...SERVER, "/3/0/16": "U" })) {
        expectContent(await server.read(path), { [path]: value });
      }
    },
  },
  {
    id: "1.1-int-225",
    title: "Read on Resource Instance",
    run: async ({ server }) => expectContent(await server.read("/3/0/11/0"), { "/3/0/11/0": 0 }),
  },
  {
    id: "1.1-int-229",
    title: "Read-Composite Operation",
    note: "void since ETS 1.2.1, see 280",
    async run({ server }) {
      const answer = await server.readComposite(["/3", "/1/0", "/1/0/1", "/3/0/11/0"], ContentFormat.senmlCbor);
      expectContent(answer, { ...SERVER, ...DEVICE }, ContentFormat.senmlCbor);
    },
  },
  {
    id: "1.1-int-231",
    title: "Querying basic information in SenML JSON format",
    run: ({ server }) => expectLevels(server, ContentFormat.senmlJson),
  },
  {
    id: "1.1-int-232",
    title: "Querying basic information in SenML CBOR format",
    run: ({ server }) => expectLevels(server, ContentFormat.senmlCbor),
  },
  {
    id: "1.1-int-235",
    title: "Read-Composite Operation on root path",
    async run({ server }) {
      for (const format of [ContentFormat.senmlCbor, ContentFormat.senmlJson]) {
        const answer = await server.readComposite(["/"], format);
        expectContent(answer, { ...SERVER, ...DEVICE }, format);
        expectAbsent(answer, ["/0", "/21", "/23"]);
      }
    },
  },
  {
    id: "1.1-int-236",
    title: "Read-Composite - Partial Presence",
    async run({ server }) {
      const paths = ["/1/0", "/1/0/1", "/3/0/11/0", "/3339/0/5522", "/3353/0/6030"];
      const answer = await server.readComposite(paths, ContentFormat.senmlCbor);
      expectContent(answer, { ...SERVER, "/3/0/11/0": 0 }, ContentFormat.senmlCbor);
      expectAbsent(answer, ["/3339", "/3353"]);
    },
  },
  {
    id: "1.1-int-237",
    title: "Read on Object without specifying Content-Type",
    async run({ server }) {
      for (const [path, values] of [["/1", SERVER] as const, ["/3", DEVICE] as const]) {
        const answer = await server.read(path);
        expectContent(answer, values);
        const { contentFormat } = answer;
        expectTrue("SenML", contentFormat === 110 || contentFormat === 112, contentFormat);
      }
    },
  },
  {
    id: "1.1-int-280",
    title: "Successful Read-Composite Operation",
    async run({ server }) {
      for (const format of [ContentFormat.senmlCbor, ContentFormat.senmlJson]) {
        const answer = await server.readComposite(["/3/0/16", "/3/0/11/0", "/1/0"], format);
        expectContent(answer, { "/3/0/16": "U", "/3/0/11/0": 0, ...SERVER }, format);
        expectAbsent(answer, ["/3/0/0", "/3/0/1", "/3/0/3"]);
      }
    },
  },
  {
    id: "1.1-int-281",
    title: "Partially Successful Read-Composite Operation",
    async run({ server }) {
      const answer = await server.readComposite(["/1/0/1", "/1/0/7", "/1/0/8"], ContentFormat.senmlCbor);
      expectContent(answer, { "/1/0/1": 86_400, "/1/0/7": "U" });
      expectAbsent(answer, ["/1/0/8"]);
    },
  },
  {
    id: "1.1-int-652",
    title: "Querying the firmware version from the client",
    run: async ({ server }) => expectContent(await server.read("/3/0/3"), { "/3/0/3": undefined }),
  },
];

async function expectDevice(server: Server, contentFormat: number): Promise<void> {
  expectContent(await server.read("/3/0", contentFormat), DEVICE, contentFormat);
}

async function expectLevels(server: Server, contentFormat: number): Promise<void> {
  expectContent(await server.read("/1", contentFormat), SERVER, contentFormat);
  expectContent(await server.read("/3/0", contentFormat), DEVICE, contentFormat);
  expectContent(await server.read("/3/0/16", contentFormat), { "/3/0/16": "U" }, contentFormat);
  expectContent(await server.read("/3/0/11/0", contentFormat), { "/3/0/11/0": 0 }, contentFormat);
}
