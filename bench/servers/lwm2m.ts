/**
 * A whole LwM2M client with a server account per peer, each registered; then the load generator takes the peers' ports
 * over. `PORT PEER_PORT PEERS`
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { CoapEndpoint } from "../../src/coap/endpoint.js";
import { openUdp } from "../../src/coap/udp.js";
import { Lwm2mClient } from "../../src/lwm2m/client.js";
import { loadModels } from "../../src/lwm2m/models.js";
import { addDevice } from "../../src/lwm2m/objects/device.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";
import { TEMPERATURE, TEMPERATURE_PATH } from "./payloads.js";

const [port = 0, peerPort = 0, peers = 0] = process.argv.slice(2).map(Number);
const context = { clock: systemClock, log: silentLog, random: Math.random };
const models = await loadModels();
const tree = new ObjectTree();
const facts = { manufacturer: "bench", modelNumber: "bench", firmwareVersion: "0", binding: "U" };
addDevice(
  tree,
  models,
  { ...facts, memoryFreeKb: () => 1, memoryTotalKb: () => 1, reboot: () => undefined },
  systemClock,
);
const temperature = models.object(3303);
if (temperature === undefined) throw new Error("object 3303 is missing");
tree.addInstance(temperature, 0);
tree.set(TEMPERATURE_PATH, { value: TEMPERATURE, atMs: Date.now() });

const registrars = await Promise.all(Array.from({ length: peers }, (_, index) => openRegistrar(peerPort + index)));
const servers = Array.from({ length: peers }, (_, index) => ({
  uri: `coap://127.0.0.1:${peerPort + index}`,
  shortServerId: index + 1,
  lifetimeS: 86_400,
}));
const client = new Lwm2mClient({
  endpoint: "bench",
  tree,
  models,
  servers,
  ...context,
  openPeer: async ({ shortServerId }, handler, signal) => {
    const index = shortServerId - 1;
    const addresses = { host: "127.0.0.1", port: peerPort + index, localPort: port + index };
    return new CoapEndpoint(await openUdp(addresses, signal), handler, context);
  },
});
const scope = new Scope((error) => console.error(error));
client.onState(() => {
  if (client.registrations.some(({ state }) => state !== "registered")) return;
  for (const registrar of registrars.splice(0)) registrar.close(() => registrars.length === 0 && console.log("ready"));
});
client.start(scope);

/** Answers a Register with 2.01 and the location /rd/1. */
async function openRegistrar(registrarPort: number) {
  const socket = createSocket("udp4");
  socket.on("message", (request, { address, port: from }) => {
    const tokenLength = (request[0] ?? 0) & 15;
    const header = Buffer.from(request.subarray(0, 4 + tokenLength));
    header[0] = 0x60 | tokenLength;
    header[1] = 0x41;
    const location = Buffer.from([0x82, 0x72, 0x64, 0x01, 0x31]);
    socket.send(Buffer.concat([header, location]), from, address);
  });
  socket.bind(registrarPort, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}
