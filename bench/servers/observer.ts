/** Observes /3303/0/5700 to /3303/N-1/5700 with non-confirmable requests and counts what comes. `SERVER_PORT LOCAL_PORT N` */
import { createSocket } from "node:dgram";
import { once } from "node:events";

const [serverPort = 0, localPort = 0, count = 0] = process.argv.slice(2).map(Number);
/** Socket buffers hold a few hundred datagrams. */
const PER_TURN = 20;
const ATTEMPTS = 5;
/** On a busy machine datagrams are lost: what was not answered is asked again, under an id of its own. */
const unanswered = new Set(Array.from({ length: count }, (_, index) => index));
let messageId = 0;
const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
socket.bind(localPort, "127.0.0.1");
await once(socket, "listening");
socket.connect(serverPort, "127.0.0.1");
await once(socket, "connect");
let received = 0;
socket.on("message", (datagram) => {
  received++;
  unanswered.delete(datagram.readUInt16BE(6));
});
socket.on("error", () => undefined);
for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
  for (const [nth, index] of [...unanswered].entries()) {
    socket.send(observeRequest(index));
    if (nth % PER_TURN === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
console.log("observing");
setInterval(() => console.log(`received ${received}`), 1000);

/** NON, token of four bytes, Observe 0, Uri-Path, Accept 112. */
function observeRequest(index: number): Buffer {
  messageId = (messageId + 1) & 0xffff;
  const head = Buffer.from([0x54, 1, messageId >> 8, messageId & 255, 0, 0, index >> 8, index & 255, 0x60]);
  const segments = ["3303", String(index), "5700"].map((text, position) =>
    Buffer.concat([Buffer.from([(position === 0 ? 0x50 : 0) | text.length]), Buffer.from(text)]),
  );
  return Buffer.concat([head, ...segments, Buffer.from([0x61, 112])]);
}
