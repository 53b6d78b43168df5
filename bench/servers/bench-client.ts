/** A whole LwM2M client, as the servers of the benchmarks have it. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { CoapEndpoint } from "../../src/coap/endpoint.js";
import { openUdp } from "../../src/coap/udp.js";
import { Lwm2mClient } from "../../src/lwm2m/client.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import { addDevice } from "../../src/lwm2m/objects/device.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";

export interface Ports {
  /** Of the first connection; each further one has the next. */
  readonly port: number;
  readonly peerPort: number;
  readonly peers: number;
}

/** Temperature instances; each has a value from the start. */
export async function benchTree(instances: number): Promise<ObjectTree> {
  const models = await loadModels();
  const tree = new ObjectTree();
  const facts = { manufacturer: "bench", modelNumber: "bench", firmwareVersion: "0", binding: "U" };
  const own = { ...facts, memoryFreeKb: () => 1, memoryTotalKb: () => 1, reboot: () => undefined };
  addDevice(tree, models, own, systemClock);
  const temperature = models.object(3303);
  if (temperature === undefined) throw new Error("object 3303 is missing");
  for (let instanceId = 0; instanceId < instances; instanceId++) {
    tree.addInstance(temperature, instanceId);
    tree.set([3303, instanceId, 5700], { value: 21.5, atMs: Date.now() });
  }
  return tree;
}

/**
 * A client of a server per peer. Each is registered with a registrar of ours, which then leaves its port to the load
 * generator; resolves after that. Rejects when a port is taken.
 */
export async function registeredClient(tree: ObjectTree, { port, peerPort, peers }: Ports): Promise<Lwm2mClient> {
  const context = { clock: systemClock, log: silentLog, random: Math.random };
  const registrars = await Promise.all(Array.from({ length: peers }, (_, index) => openRegistrar(peerPort + index)));
  let fail: (reason: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const client = new Lwm2mClient({
    endpoint: "bench",
    tree,
    models: await loadModels(),
    servers: registrars.map((_, index) => ({
      uri: `coap://127.0.0.1:${peerPort + index}`,
      shortServerId: index + 1,
      lifetimeS: 86_400,
    })),
    ...context,
    openPeer: async ({ shortServerId = 1 }, handler, signal) => {
      const index = shortServerId - 1;
      const addresses = { host: "127.0.0.1", port: peerPort + index, localPort: port + index };
      try {
        return new CoapEndpoint(await openUdp(addresses, signal), handler, context);
      } catch (error) {
        // The client itself would only try again.
        fail(new Error(`port ${addresses.localPort} cannot be had`, { cause: error }));
        throw error;
      }
    },
  });
  const registered = new Promise<void>((resolve) => {
    client.onState(() => {
      if (client.registrations.every(({ state }) => state === "registered")) resolve();
    });
  });
  client.start(new Scope((error) => console.error(error)));
  await Promise.race([registered, failed]);
  await Promise.all(registrars.map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
  return client;
}

/** Answers a Register with 2.01 and the location /rd/1. */
async function openRegistrar(port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (request, { address, port: from }) => {
    const tokenLength = (request[0] ?? 0) & 15;
    const header = Buffer.from(request.subarray(0, 4 + tokenLength));
    header[0] = 0x60 | tokenLength;
    header[1] = 0x41;
    const location = Buffer.from([0x82, 0x72, 0x64, 0x01, 0x31]);
    socket.send(Buffer.concat([header, location]), from, address);
  });
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}
