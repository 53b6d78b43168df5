import { cborCodec } from "./cbor.js";
import type { Codec } from "./codec.js";
import { lwm2mCborCodec } from "./lwm2m-cbor.js";
import { lwm2mJsonCodec } from "./lwm2m-json.js";
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
 * resources of a Read, Write or Create. `paths`: the targets of a Read-Composite or Observe-Composite. `composite`: the
 * answer to them. `patch`: the values of a Write-Composite. `send`: a Send operation.
 */
export type FormatUse = "value" | "values" | "paths" | "composite" | "patch" | "send";

interface Format {
  readonly codec: Codec;
  readonly uses: readonly FormatUse[];
}

/** In the order of preference. */
const FORMATS: readonly Format[] = [
  { codec: senmlCborCodec, uses: ["value", "values", "paths", "composite", "patch", "send"] },
  { codec: senmlJsonCodec, uses: ["value", "values", "paths", "composite", "patch", "send"] },
  // Without times, so what is sent on later with the time of its measurement goes otherwise.
  { codec: lwm2mCborCodec, uses: ["value", "values", "composite", "patch"] },
  { codec: tlvCodec, uses: ["value", "values"] },
  { codec: textCodec, uses: ["value"] },
  { codec: cborCodec, uses: ["value"] },
  { codec: opaqueCodec, uses: ["value"] },
  // RFC 8790: media types of requests only; an answer is plain SenML.
  { codec: senmlEtchCborCodec, uses: ["paths", "patch"] },
  { codec: senmlEtchJsonCodec, uses: ["paths", "patch"] },
  { codec: lwm2mJsonCodec, uses: ["value", "values"] },
];

const BY_NUMBER: ReadonlyMap<number, Format> = new Map(FORMATS.map((format) => [format.codec.contentFormat, format]));

const WITH_TIMES: ReadonlySet<number> = new Set([ContentFormat.senmlJson, ContentFormat.senmlCbor, ContentFormat.json]);

/** Whether the format can say when a value was measured. */
export function hasTimes(contentFormat: number): boolean {
  return WITH_TIMES.has(contentFormat);
}

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

/**
 * For the registration's `ct`: what is not mandatory for every client anyway, the preferred one first. The JSON of
 * LwM2M 1.0 is left out: it is only for servers that ask for it unasked (OMA LwM2M Core 1.2 §7.5.6).
 */
export const ADVERTISED_FORMATS: readonly number[] = [
  ContentFormat.senmlCbor,
  ContentFormat.senmlJson,
  ContentFormat.cbor,
  ContentFormat.tlv,
  ContentFormat.lwm2mCbor,
  ContentFormat.senmlEtchCbor,
  ContentFormat.senmlEtchJson,
];
