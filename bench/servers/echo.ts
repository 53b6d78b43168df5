/** What Node's sockets cost by themselves: gives each datagram back, one connected socket per peer. `PORT PEER_PORT PEERS` */
import { createSocket } from "node:dgram";
import { once } from "node:events";

const [port = 0, peerPort = 0, peers = 0] = process.argv.slice(2).map(Number);
for (let index = 0; index < peers; index++) {
  const socket = createSocket("udp4");
  socket.bind(port + index, "127.0.0.1");
  await once(socket, "listening");
  socket.connect(peerPort + index, "127.0.0.1");
  await once(socket, "connect");
  socket.on("message", (datagram) => socket.send(datagram));
  socket.on("error", () => undefined);
}
console.log("ready");
