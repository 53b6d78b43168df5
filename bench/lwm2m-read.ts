import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark } from "./benchmark.js";
import { getRounds, PEER_PORT, PEERS, type Subject, WINDOW } from "./get-rounds.js";
import { gatewayCommand, nodeCommand } from "./process.js";
import { payloadOf, READ_FORMATS, type ReadFormat } from "./servers/payloads.js";

const PORTS = { causeway: 47_120, libcoap: 47_320, npm: 47_321 } as const;

/** A Read through the whole client (endpoint, dispatch, tree, codec) beside bare CoAP servers that hold its answer. */
function lwm2mRead(format: ReadFormat): Benchmark {
  const subjects: readonly Subject[] = [
    {
      name: "causeway",
      command: [...gatewayCommand("servers/lwm2m.js"), String(PORTS.causeway), String(PEER_PORT), String(PEERS)],
      ready: /ready/,
      port: PORTS.causeway,
      portStep: 1,
      path: "/3303/0/5700",
      accept: READ_FORMATS[format],
    },
    {
      name: "libcoap coap-server",
      command: ["coap-server-notls", "-A", "127.0.0.1", "-p", String(PORTS.libcoap), "-d", "10"],
      port: PORTS.libcoap,
      portStep: 0,
      path: "/read",
      prepare: () => putPayload(format),
    },
    {
      name: "npm coap",
      command: [...nodeCommand("servers/npm-coap-payload.js"), String(PORTS.npm), format],
      ready: /ready/,
      port: PORTS.npm,
      portStep: 0,
      path: "/read",
    },
  ];
  return {
    name: `lwm2m-read-${format}`,
    title: `LwM2M Read of /3303/0/5700 as ${format}, beside GET of the same bytes; ${PEERS} servers, ${WINDOW} requests on their way`,
    measure: "requests/CPU-s",
    ours: "causeway",
    run: (options) => getRounds(subjects, options),
  };
}

/** Makes the resource in libcoap's server; the client's own retransmission waits until the server listens. */
function putPayload(format: ReadFormat): void {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const file = join(folder, "payload");
  writeFileSync(file, payloadOf(format));
  execFileSync("coap-client-notls", ["-m", "put", "-f", file, `coap://127.0.0.1:${PORTS.libcoap}/read`]);
  rmSync(folder, { recursive: true });
}

export const lwm2mReads: readonly Benchmark[] = (["text", "tlv", "senml-cbor"] as const).map(lwm2mRead);
