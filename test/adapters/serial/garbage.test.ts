import { expect, it } from "vitest";
import { checksumBytes } from "../../../adapters/serial/checksum.js";
import type { SerialProtocol } from "../../../adapters/serial/options.js";
import { concatBytes } from "../../../src/base/bytes.js";
import type { Reading } from "../../../src/field/reading.js";
import { random } from "../../fakes/random.js";
import { latin, SerialRig, serialPoint, serialStation } from "./serial-rig.js";

const ROUNDS = 2000;
const CRC = { type: "crc16-ccitt", from: 0, to: -4, at: -4 } as const;
const PROTOCOL: SerialProtocol = {
  framing: { start: latin("<"), end: latin("\r\n"), maxLength: 64 },
  checksum: CRC,
  frames: new Map([["m", {}]]),
};

function frame(value: number): Uint8Array {
  const body = latin(`<${value},`);
  return concatBytes([body, checksumBytes(body, CRC), latin("\r\n")]);
}

it("what is cut off, flipped and mixed with noise never becomes a value that was not sent", async () => {
  const { seed, below, bytes } = random();
  const rig = new SerialRig();
  const heard: Reading[] = [];
  const sink = { readings: (readings: readonly Reading[]) => heard.push(...readings), gone: () => undefined };
  const point = serialPoint("v", { at: { match: "^<(\\d+)," }, type: "number" });
  await rig.link.watch(serialStation(PROTOCOL), [point], sink, new AbortController().signal);
  for (let round = 1; round <= ROUNDS; round++) {
    const sent = frame(1000 + round);
    const cut = below(sent.length);
    const fates = [
      () => [sent],
      () => [sent.subarray(0, cut)],
      () => [bytes(below(10)), sent],
      () => [sent.subarray(0, cut), sent],
      () => [Uint8Array.from(sent, (byte, index) => (index === cut ? byte ^ (1 << below(8)) : byte))],
    ];
    for (const piece of fates[below(fates.length)]?.() ?? []) if (piece.length > 0) rig.say(piece);
  }
  const odd = heard.filter(
    ({ value, quality }) => quality === "good" && !(Number(value) > 1000 && Number(value) <= 1000 + ROUNDS),
  );
  expect(odd, `seed ${seed}`).toEqual([]);
  expect(heard.filter(({ quality }) => quality === "good").length, `seed ${seed}`).toBeGreaterThan(ROUNDS / 3);
});
