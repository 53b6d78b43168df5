/** What Node's socket costs by itself: notifications made once, sent again and again. `PORT PEER_PORT RESOURCES ROUNDS NOTIFICATIONS` */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { payloadOf } from "./payloads.js";
import { runRounds } from "./rounds.js";

const [port = 0, peerPort = 0, resources = 0, rounds = 0, count = 0] = process.argv.slice(2).map(Number);
// Header, token of four bytes, Observe of three, Content-Format 112, payload.
const datagram = Buffer.concat([
  Buffer.alloc(8),
  Buffer.from("63000001", "hex"),
  Buffer.from("6170ff", "hex"),
  payloadOf("senml-cbor"),
]);
const socket = createSocket("udp4");
socket.bind(port, "127.0.0.1");
await once(socket, "listening");
console.log("ready");
await once(socket, "message");
socket.connect(peerPort, "127.0.0.1");
await once(socket, "connect");
socket.on("error", () => undefined);
await runRounds(rounds, count, () => {
  for (let index = 0; index < resources; index++) socket.send(datagram);
  return resources;
});
