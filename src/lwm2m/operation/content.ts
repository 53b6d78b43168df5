import { NO_BYTES, utf8Encode } from "../../base/bytes.js";
import { CausewayError } from "../../base/errors.js";
import { Code, parseCode } from "../../coap/code.js";
import type { CoapResponse } from "../../coap/request.js";
import type { Codec, Entry, TimesPolicy } from "../codec/codec.js";
import { ContentFormat, codecFor } from "../codec/formats.js";
import type { Lwm2mVersion } from "../model/models.js";
import type { Path } from "../path.js";
import type { ResourceType } from "../value.js";

/**
 * The format of a response: what is accepted, else plain text for one value and the version's own format for more
 * (OMA LwM2M Core 1.2 §7.5). `type` is that of the one value. Throws LWM2M_NOT_ACCEPTABLE, without Accept only for a
 * composite operation in LwM2M 1.0, which has none.
 */
export function negotiate(
  accept: number | undefined,
  use: "value" | "values" | "composite",
  type: ResourceType | undefined,
  version: Lwm2mVersion,
): Codec {
  const wanted = accept ?? (use === "value" ? ContentFormat.text : HIERARCHICAL[version]);
  const codec = codecFor(wanted, use);
  if (codec === undefined || (wanted === ContentFormat.opaque && type !== "opaque")) {
    throw new CausewayError("LWM2M_NOT_ACCEPTABLE", `content format ${wanted} does not fit here`);
  }
  return codec;
}

const HIERARCHICAL: Readonly<Record<Lwm2mVersion, number>> = {
  "1.0": ContentFormat.tlv,
  "1.1": ContentFormat.senmlCbor,
  "1.2": ContentFormat.senmlCbor,
};

export function contentResponse(
  codec: Codec,
  entries: readonly Entry[],
  target: Path,
  nowMs: number,
  times: TimesPolicy = "historical",
): CoapResponse {
  return {
    code: Code.Content,
    contentFormat: codec.contentFormat,
    payload: codec.encode(entries, { target, nowMs, times }),
  };
}

export function emptyResponse(code: number): CoapResponse {
  return { code, payload: NO_BYTES };
}

/** The error's response code with its message as diagnostic payload (RFC 7252 §5.5.2). */
export function errorResponse(error: CausewayError): CoapResponse {
  return { code: parseCode(error.coapCode), payload: utf8Encode(error.message) };
}
