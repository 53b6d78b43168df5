import type { Codec } from "../../src/lwm2m/codec/codec.js";
import { ContentFormat, codecOf } from "../../src/lwm2m/codec/formats.js";

/** The value that is read, and its path. */
export const TEMPERATURE = 21.5;
export const TEMPERATURE_PATH = [3303, 0, 5700];

export const READ_FORMATS = {
  text: ContentFormat.text,
  tlv: ContentFormat.tlv,
  "senml-cbor": ContentFormat.senmlCbor,
} as const;

export type ReadFormat = keyof typeof READ_FORMATS;

/** What a Read of the temperature answers, so that the peers can be given the same bytes to serve. */
export function payloadOf(format: ReadFormat): Uint8Array {
  const codec: Codec | undefined = codecOf(READ_FORMATS[format]);
  if (codec === undefined) throw new Error(`no codec for ${format}`);
  const entry = { path: TEMPERATURE_PATH, type: "float", value: TEMPERATURE } as const;
  return codec.encode([entry], { target: TEMPERATURE_PATH, nowMs: Date.now() });
}

/** Temperature instances of the client. */
export const INSTANCES = 100;

/** A Read-Composite of every temperature as SenML-ETCH CBOR, with a base name so that it is one block. */
export function compositePayload(): Uint8Array {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0x60 | value.length]), Buffer.from(value)]);
  const records = Array.from({ length: INSTANCES }, (_, index) => {
    const name = Buffer.concat([Buffer.from([0x00]), text(`${index}/5700`)]);
    // {-2: "/3303/", 0: "0/5700"}, then {0: "1/5700"} …
    return index === 0
      ? Buffer.concat([Buffer.from([0xa2, 0x21]), text("/3303/"), name])
      : Buffer.concat([Buffer.from([0xa1]), name]);
  });
  return Buffer.concat([Buffer.from([0x98, INSTANCES]), ...records]);
}
