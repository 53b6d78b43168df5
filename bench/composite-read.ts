import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContentFormat } from "../src/lwm2m/codec/formats.js";
import type { Benchmark } from "./benchmark.js";
import { getRounds, PEER_PORT, PEERS, type Subject, WINDOW } from "./get-rounds.js";
import { gatewayCommand } from "./process.js";
import { compositePayload, INSTANCES } from "./servers/payloads.js";

const PORTS = { composite: 47_140, read: 47_160 } as const;
/** Each is the work of a hundred. */
const WARM_UP_REQUESTS = 3000;
const SHARE = 10;

function subject(name: string, port: number): Omit<Subject, "path"> {
  const command = [...gatewayCommand("servers/lwm2m.js"), String(port), String(PEER_PORT), String(PEERS)];
  return { name, command, ready: /ready/, port, portStep: 1, accept: ContentFormat.lwm2mCbor };
}

/** Of all values of one object, once by name and once as the object. */
export const compositeRead: Benchmark = {
  name: "composite-read",
  title: `Read-Composite of ${INSTANCES} resources by name, beside a Read of their object; LwM2M CBOR, ${PEERS} servers, ${WINDOW} requests on their way`,
  measure: "requests/CPU-s",
  ours: "causeway Read-Composite",
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    const payloadFile = join(folder, "paths");
    writeFileSync(payloadFile, compositePayload());
    const fetch = { contentFormat: ContentFormat.senmlEtchCbor, payloadFile };
    const subjects: readonly Subject[] = [
      { ...subject("causeway Read-Composite", PORTS.composite), path: "/", fetch },
      { ...subject("causeway Read", PORTS.read), path: "/3303" },
    ];
    try {
      return await getRounds(subjects, { ...options, requests: Math.ceil(options.requests / SHARE) }, WARM_UP_REQUESTS);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
