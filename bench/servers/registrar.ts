/** An LwM2M server that takes every registration, tells when each message and the last of `COUNT` endpoints came, and its port. */
import { createSocket } from "node:dgram";

const [count = 1] = process.argv.slice(2).map(Number);
const CREATED = 0x41;
const CHANGED = 0x44;
const LOCATION = Buffer.from([0x82, 0x72, 0x64, 0x01, 0x31]);
const socket = createSocket("udp4");
const endpoints = new Set<string>();

socket.on("message", (datagram, { address, port }) => {
  const [first = 0, code = 0] = datagram;
  if (((first >> 4) & 3) !== 0 || code >> 5 !== 0) return;
  const text = datagram.toString("latin1");
  const name = /ep=[^=]+/.exec(text)?.[0];
  const reply = Buffer.from(datagram.subarray(0, 4 + (first & 15)));
  reply[0] = 0x60 | (first & 15);
  reply[1] = name === undefined ? CHANGED : CREATED;
  socket.send(name === undefined ? reply : Buffer.concat([reply, LOCATION]), port, address);
  console.log(`${name === undefined ? "update" : "register"} ${Date.now()}`);
  if (name === undefined || endpoints.has(name)) return;
  endpoints.add(name);
  if (endpoints.size === count) console.log(`last ${Date.now()}`);
});

socket.bind(0, "127.0.0.1", () => console.log(`port ${socket.address().port}`));
