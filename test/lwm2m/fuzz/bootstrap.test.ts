import { describe, expect, it } from "vitest";
import { toHex, utf8Encode } from "../../../src/base/bytes.js";
import { createLog } from "../../../src/base/log.js";
import { CoapEndpoint } from "../../../src/coap/endpoint.js";
import { decodeMessage } from "../../../src/coap/message.js";
import { accountProblems } from "../../../src/lwm2m/account/account-problems.js";
import { BootstrapSession } from "../../../src/lwm2m/bootstrap/bootstrap-session.js";
import { ContentFormat } from "../../../src/lwm2m/codec/formats.js";
import type { ObjectTree } from "../../../src/lwm2m/tree.js";
import { bootstrapTree, contentOf } from "../../fakes/bootstrap-tree.js";
import { FakeClock } from "../../fakes/clock.js";
import { type Random, random } from "../../fakes/random.js";
import { FakeTransport } from "../../fakes/transport.js";
import { mutatedDatagram, type Templates } from "./mutation.js";
import { request } from "./requests.js";

/** `npm run fuzz` has twenty times as many. */
const REQUESTS = Number(process.env["CAUSEWAY_FUZZ_REQUESTS"] ?? 5000);
const PER_SESSION = 100;
const FORMAT = ContentFormat.senmlJson;

function put(target: string, records: readonly object[]) {
  return request("PUT", target, { format: FORMAT, payload: utf8Encode(JSON.stringify(records)) });
}

function security(id: number, shortServerId: number, isBootstrap: boolean): readonly object[] {
  return [
    { bn: `/0/${id}/`, n: "0", vs: `coap://192.0.2.${shortServerId}` },
    { n: "1", vb: isBootstrap },
    { n: "2", v: 3 },
    ...(isBootstrap ? [] : [{ n: "10", v: shortServerId }]),
  ];
}

function server(id: number, shortServerId: number): readonly object[] {
  return [
    { bn: `/1/${id}/`, n: "0", v: shortServerId },
    { n: "1", v: 60 },
    { n: "6", vb: true },
    { n: "7", vs: "U" },
  ];
}

const FINISH = request("POST", "/bs");

/** What bootstrap servers do, and what they must not. */
const TEMPLATES: Templates = [
  FINISH,
  FINISH,
  request("GET", "/", { accept: ContentFormat.linkFormat }),
  request("GET", "/1", { accept: FORMAT }),
  request("GET", "/2"),
  request("DELETE", "/"),
  request("DELETE", "/0"),
  request("DELETE", "/1/0"),
  request("DELETE", "/3303/0"),
  put("/0", [...security(0, 1, false), ...security(2, 2, false)]),
  put("/0/0", security(0, 1, false)),
  put("/0/1", security(1, 9, true)),
  put("/0/3", security(3, 8, true)),
  put("/1", [...server(0, 1), ...server(1, 2)]),
  put("/1/0", server(0, 1)),
  request("PUT", "/1/0/1", { format: ContentFormat.text, payload: "300" }),
  request("PUT", "/0/0/2", { format: ContentFormat.text, payload: "3" }),
  put("/2/0", [
    { bn: "/2/0/", n: "0", v: 3 },
    { n: "1", v: 0 },
    { n: "2/1", v: 15 },
    { n: "3", v: 1 },
  ]),
  put("/3/0", [{ n: "/3/0/14", vs: "+02:00" }]),
  put("/16/0", [{ n: "/16/0/0/0", vs: "a" }]),
  put("/3303/0", [{ n: "/3303/0/5700", v: 1 }]),
];

function everything(tree: ObjectTree): Readonly<Record<string, unknown>> {
  return contentOf(tree, [...tree.objects.keys()]);
}

/** Gives how often a configuration has taken effect. */
async function fuzz(draw: Random, sent: string[]): Promise<number> {
  const clock = new FakeClock();
  const tree = bootstrapTree({ servers: [{}] }, clock);
  const defects: string[] = [];
  const transport = new FakeTransport();
  const log = createLog("error", (line) => defects.push(line));
  let finished = 0;
  const session = new BootstrapSession({
    endpoint: "fuzz",
    tree,
    openPeer: async (_account, handler) => new CoapEndpoint(transport, handler, { clock, log, random: draw.next }),
    clock,
    log,
    random: draw.next,
    pack: "never",
    schemes: new Set(["coap"]),
    onBegin: () => undefined,
    onRolledBack: () => undefined,
    onFinished: () => finished++,
  });
  session.start("no-server");
  await clock.advance(100);
  let before = everything(tree);
  for (let count = 0; count < PER_SESSION; count++) {
    const datagram = mutatedDatagram(TEMPLATES, draw);
    sent.push(toHex(datagram));
    transport.receive(datagram);
    const already = finished;
    await clock.advance(100);
    for (const answer of transport.take()) expect(decodeMessage(answer).type).not.toBe("malformed");
    // Only a Finish changes anything, and only to what the client can work with.
    if (finished > already) {
      expect(accountProblems(tree)).toEqual([]);
      before = everything(tree);
    }
    expect(everything(tree)).toEqual(before);
    expect(tree.resource(3303, 0, 5700)?.samples.get(0)?.value).toBe(21.5);
  }
  expect(defects).toEqual([]);
  await clock.advance(247_000);
  expect(everything(tree)).toEqual(before);
  await session.close();
  await clock.advance(300_000);
  expect(clock.pendingCount).toBe(0);
  return finished;
}

describe("whatever a bootstrap server sends", () => {
  it(`${REQUESTS} mutated requests: no defect, nothing changes but by a Finish that makes sense`, async () => {
    const { seed } = random();
    let finished = 0;
    for (let number = 0; number * PER_SESSION < REQUESTS; number++) {
      const sent: string[] = [];
      try {
        finished += await fuzz(random(seed + number), sent);
      } catch (error) {
        const last = sent.slice(-20).join("\n");
        throw new Error(`CAUSEWAY_TEST_SEED=${seed + number}; last of ${sent.length}:\n${last}`, { cause: error });
      }
    }
    expect(finished).toBeGreaterThan(0);
  }, 300_000);
});
