import type { Benchmark } from "./benchmark.js";
import { getRounds, PEER_PORT, PEERS, type Subject, WINDOW } from "./get-rounds.js";
import { nodeCommand } from "./process.js";

const PORTS = { causeway: 47_100, echo: 47_200, libcoap: 47_300, npm: 47_301 } as const;

const SUBJECTS: readonly Subject[] = [
  {
    name: "causeway",
    command: [...nodeCommand("servers/causeway.js"), String(PORTS.causeway), String(PEER_PORT), String(PEERS)],
    ready: /ready/,
    port: PORTS.causeway,
    portStep: 1,
    path: "/time",
  },
  {
    name: "libcoap coap-server",
    command: ["coap-server-notls", "-A", "127.0.0.1", "-p", String(PORTS.libcoap)],
    // It starts without a word; the generator sends again what comes too early.
    port: PORTS.libcoap,
    portStep: 0,
    path: "/time",
  },
  {
    name: "npm coap",
    command: [...nodeCommand("servers/npm-coap.js"), String(PORTS.npm)],
    ready: /ready/,
    port: PORTS.npm,
    portStep: 0,
    path: "/time",
  },
  {
    name: "node dgram echo",
    command: [...nodeCommand("servers/echo.js"), String(PORTS.echo), String(PEER_PORT), String(PEERS)],
    ready: /ready/,
    port: PORTS.echo,
    portStep: 1,
    path: "/time",
  },
];

export const coapGet: Benchmark = {
  name: "coap-get",
  title: `GET of a small text resource, ${PEERS} peers, ${WINDOW} requests on their way`,
  measure: "requests/CPU-s",
  ours: "causeway",
  run: (options) => getRounds(SUBJECTS, options),
};
