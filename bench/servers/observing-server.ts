/** An LwM2M server that observes every object instance it hears of, unless told `registering`. Prints its port. */
import { createSocket } from "node:dgram";

const ACK = 2;
const CREATED = 0x41;
const CHANGED = 0x44;
const CONTINUE = 0x5f;
/** Socket buffers hold a few hundred datagrams. */
const OBSERVES_PER_TURN = 20;
const TURN_MS = 20;
const socket = createSocket("udp4");
let messageId = 1;
let uploads = Buffer.alloc(0);

socket.on("message", (datagram, { address, port }) => {
  const [first = 0, code = 0] = datagram;
  const type = (first >> 4) & 3;
  const tokenLength = first & 15;
  const send = (message: Buffer): void => socket.send(message, port, address);
  if (type === 0 && code >> 5 === 2) {
    send(Buffer.from([0x60, 0, datagram[2] ?? 0, datagram[3] ?? 0]));
    return;
  }
  if (type === ACK || code >> 5 !== 0) return;
  const reply = Buffer.from(datagram.subarray(0, 4 + tokenLength));
  reply[0] = 0x60 | tokenLength;
  const { path, block1, payload } = parse(datagram.subarray(4 + tokenLength));
  const isMore = block1 !== undefined && (block1 & 8) !== 0;
  reply[1] = isMore ? CONTINUE : path === "rd" ? CREATED : CHANGED;
  const location = path === "rd" && !isMore ? [0x82, 0x72, 0x64, 0x01, 0x31] : [];
  // Block1 (27) follows Location-Path (8), or stands alone.
  const block = block1 === undefined ? [] : blockOption(block1, location.length > 0 ? 6 : 14);
  send(Buffer.concat([reply, Buffer.from(location), Buffer.from(block)]));
  if (path !== "rd" || process.argv[2] === "registering") return;
  uploads = Buffer.concat([uploads, payload]);
  if (isMore) return;
  const instances = [...uploads.toString().matchAll(/<\/(\d{4,})\/(\d+)>/g)];
  uploads = Buffer.alloc(0);
  const turn = (): void => {
    for (const [, object = "", instance = ""] of instances.splice(0, OBSERVES_PER_TURN)) {
      send(observeRequest(object, instance));
    }
    if (instances.length > 0) setTimeout(turn, TURN_MS);
  };
  turn();
});

function blockOption(value: number, extendedDelta: number): readonly number[] {
  return value < 256 ? [0xd1, extendedDelta, value] : [0xd2, extendedDelta, value >> 8, value & 255];
}

/** Observe of the instance's sensor value, CON, token of four bytes. */
function observeRequest(object: string, instance: string): Buffer {
  const id = messageId++ & 0xffff;
  const head = Buffer.from([0x44, 1, id >> 8, id & 255, 0, 0, id >> 8, id & 255]);
  const segments = [object, instance, "5700"].map((text, index) =>
    Buffer.concat([Buffer.from([(index === 0 ? 0x50 : 0) | text.length]), Buffer.from(text)]),
  );
  return Buffer.concat([head, Buffer.from([0x60]), ...segments]);
}

/** First Uri-Path segment, Block1 value and payload; options longer than 268 bytes do not come here. */
function parse(bytes: Buffer): { path: string; block1: number | undefined; payload: Buffer } {
  let offset = 0;
  let option = 0;
  let path = "";
  let block1: number | undefined;
  while (offset < bytes.length && bytes[offset] !== 0xff) {
    const head = bytes[offset++] ?? 0;
    let delta = head >> 4;
    let length = head & 15;
    if (delta === 13) delta = 13 + (bytes[offset++] ?? 0);
    if (length === 13) length = 13 + (bytes[offset++] ?? 0);
    option += delta;
    const value = bytes.subarray(offset, offset + length);
    if (option === 11 && path === "") path = value.toString();
    if (option === 27) block1 = value.reduce((number, byte) => number * 256 + byte, 0);
    offset += length;
  }
  return { path, block1, payload: bytes.subarray(offset + 1) };
}

socket.bind(0, "127.0.0.1", () => console.log(`port ${socket.address().port}`));
