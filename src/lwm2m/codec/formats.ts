import { cborCodec } from "./cbor.js";
import type { Codec } from "./codec.js";
import { opaqueCodec } from "./opaque.js";
import { senmlCborCodec, senmlEtchCborCodec } from "./senml-cbor.js";
import { senmlEtchJsonCodec, senmlJsonCodec } from "./senml-json.js";
import { textCodec } from "./text.js";
import { tlvCodec } from "./tlv.js";

/** CoAP Content-Formats that LwM2M uses (OMA LwM2M Core 1.2 §7.5). */
export const ContentFormat = {
  text: 0,
  linkFormat: 40,
  opaque: 42,
  cbor: 60,
  senmlJson: 110,
  senmlCbor: 112,
  senmlEtchJson: 320,
  senmlEtchCbor: 322,
  tlv: 11542,
  json: 11543,
  lwm2mCbor: 11544,
} as const;

/**
 * What a format may carry. `value`: one resource or resource instance, either way. `values`: objects, instances and
 * resources of a Read, Write or Create. `composite`: the answer to a Read-Composite and the values of a
 * Write-Composite. `paths`: the targets of a Read-Composite. `send`: a Send operation.
 */
export type FormatUse = "value" | "values" | "composite" | "paths" | "send";

interface Format {
  readonly codec: Codec;
  readonly uses: readonly FormatUse[];
}

/** In the order of preference. */
const FORMATS: readonly Format[] = [
  { codec: senmlCborCodec, uses: ["value", "values", "composite", "paths", "send"] },
  { codec: senmlJsonCodec, uses: ["value", "values", "composite", "paths", "send"] },
  { codec: tlvCodec, uses: ["value", "values"] },
  { codec: textCodec, uses: ["value"] },
  { codec: cborCodec, uses: ["value"] },
  { codec: opaqueCodec, uses: ["value"] },
  // RFC 8790: media types of requests only; an answer is plain SenML.
  { codec: senmlEtchCborCodec, uses: ["composite", "paths"] },
  { codec: senmlEtchJsonCodec, uses: ["composite", "paths"] },
];

const BY_NUMBER: ReadonlyMap<number, Format> = new Map(FORMATS.map((format) => [format.codec.contentFormat, format]));

export function codecOf(contentFormat: number): Codec | undefined {
  return BY_NUMBER.get(contentFormat)?.codec;
}

/** The codec, if the format may carry that. */
export function codecFor(contentFormat: number, use: FormatUse): Codec | undefined {
  const format = BY_NUMBER.get(contentFormat);
  return format?.uses.includes(use) ? format.codec : undefined;
}

/** The formats that may carry that, the preferred one first. */
export function formatsFor(use: FormatUse): readonly number[] {
  return FORMATS.filter(({ uses }) => uses.includes(use)).map(({ codec }) => codec.contentFormat);
}

/** For the registration's `ct`: what is not mandatory for every client anyway, the preferred one first. */
export const ADVERTISED_FORMATS: readonly number[] = [
  ContentFormat.senmlCbor,
  ContentFormat.senmlJson,
  ContentFormat.cbor,
  ContentFormat.tlv,
];
