import { CausewayError } from "../../base/errors.js";
import type { IncomingRequest } from "../../coap/request.js";
import type { Codec } from "../codec/codec.js";
import { codecFor } from "../codec/formats.js";
import { type Path, parseId } from "../path.js";
import type { ViewedPath, Views } from "../views.js";
import { forbidBootstrapObjects, notAllowed } from "./operations.js";

/**
 * What a request's path names. A first segment that does not begin as a number is the prefix of a device behind the
 * gateway (OMA LwM2M Gateway 1.1.1 §8.1). Throws LWM2M_NOT_FOUND for an unknown prefix, LWM2M_NOT_ALLOWED for what is no
 * path, LWM2M_UNAUTHORIZED for objects of bootstrap servers.
 */
export function targetOf({ path: segments }: Pick<IncomingRequest, "path">, views: Views): ViewedPath {
  const isBehind = isPrefix(segments[0]);
  const view = isBehind ? views.mustFind(segments[0]) : views.own;
  const path = idsOf(isBehind ? segments.slice(1) : segments);
  forbidBootstrapObjects(path);
  return { view, path };
}

function isPrefix(segment: string | undefined): boolean {
  if (segment === undefined || parseId(segment) !== undefined) return false;
  return !/^\d+$/.test(segment);
}

/** Ids of a request's path; anything that is no path is not allowed (OMA LwM2M Transport 1.2 §6.4.4). */
function idsOf(segments: readonly string[]): Path {
  const path: number[] = [];
  for (const segment of segments) {
    const id = parseId(segment);
    if (id === undefined || path.length === 4) {
      throw new CausewayError("LWM2M_NOT_ALLOWED", `/${segments.join("/")} is not an LwM2M path`);
    }
    path.push(id);
  }
  return path;
}

/** Composite operations name their targets in the payload; the request itself is for the root. */
export function compositeCodec(
  { contentFormat }: Pick<IncomingRequest, "contentFormat">,
  { view: { prefix }, path }: ViewedPath,
  use: "paths" | "patch",
): Codec {
  if (path.length > 0 || prefix !== undefined) throw notAllowed(path, "cannot be the target of a composite operation");
  const codec = contentFormat === undefined ? undefined : codecFor(contentFormat, use);
  if (codec === undefined) throw unsupported(contentFormat);
  return codec;
}

export function unsupported(contentFormat: number | undefined): CausewayError {
  const what = contentFormat === undefined ? "a payload without Content-Format" : `content format ${contentFormat}`;
  return new CausewayError("LWM2M_UNSUPPORTED_FORMAT", `${what} is not supported here`);
}
