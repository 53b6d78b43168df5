import { CausewayError } from "../../base/errors.js";
import type { CoapRequest } from "../../coap/request.js";
import type { AlternatePath } from "../alternate-path.js";
import { withAlternateNames } from "../codec/alternate-names.js";
import type { Codec } from "../codec/codec.js";
import type { Lwm2mVersion } from "../model/models.js";
import {
  type Attributes,
  checkApplicable,
  mergeAttributes,
  NO_ATTRIBUTES,
  parseAttributes,
} from "../observation/attributes.js";
import type { Observable } from "../observation/observed.js";
import { readSoFar, readView, type ViewedPath, type Views } from "../views.js";
import { compositePaths, readComposite } from "./composite.js";
import { negotiate } from "./content.js";
import { find, type ReadResult } from "./operations.js";
import { compositeCodec, targetOf } from "./request-target.js";

export interface ReadContext {
  readonly views: Views;
  readonly version: Lwm2mVersion;
  readonly nowMs: number;
  readonly alternatePath: AlternatePath;
  /** What is there and has no value yet: LWM2M_NOT_FOUND (`error`, when absent), or nothing to tell so far. */
  readonly valueless?: "error" | "empty";
}

/** What a Read or Read-Composite names, in which format it is answered, and what is there now. */
export interface ReadRequest {
  readonly target: ViewedPath;
  /** The target, or what a Read-Composite names. */
  readonly paths: readonly ViewedPath[];
  readonly codec: Codec;
  readonly result: ReadResult;
}

/** A GET or FETCH as a read. Throws LWM2M_*. */
export function readRequest(request: CoapRequest, context: ReadContext): ReadRequest {
  const { views, version, nowMs, alternatePath, valueless = "error" } = context;
  const target = targetOf(request, views);
  if (request.method === "FETCH") {
    const asked = withAlternateNames(compositeCodec(request, target, "paths"), alternatePath);
    const paths = compositePaths(asked.decodePaths?.(request.payload) ?? [], views);
    const answered = negotiate(request.accept, "composite", undefined, version);
    const codec = withAlternateNames(answered, alternatePath);
    return { target, paths, codec, result: readComposite(paths, nowMs) };
  }
  const { view, path } = target;
  const result = valueless === "error" ? readView(view, path, nowMs) : readSoFar(view, path, nowMs);
  const type = result.entries[0]?.type ?? find(view.tree, path).resource?.model.type;
  const codec = withAlternateNames(negotiate(request.accept, result.use, type, version), alternatePath);
  return { target, paths: [target], codec, result };
}

/** The same as an Observe or Observe-Composite; throws LWM2M_BAD_REQUEST when its query is no attributes, too. */
export function observableOf(request: CoapRequest, read: ReadRequest, version: Lwm2mVersion): Observable {
  const { target, paths, codec } = read;
  return { view: target.view, target: target.path, paths, codec, own: ownAttributes(request, target, version) };
}

function ownAttributes(
  { query }: CoapRequest,
  { view, path }: ViewedPath,
  version: Lwm2mVersion,
): Attributes | undefined {
  if (query.length === 0) return undefined;
  if (version !== "1.2") {
    throw new CausewayError("LWM2M_BAD_REQUEST", "attributes in an Observe need LwM2M 1.2");
  }
  const change = parseAttributes(query);
  const model = path.length === 0 ? undefined : find(view.tree, path).resource?.model;
  checkApplicable(change, path, model);
  return mergeAttributes(NO_ATTRIBUTES, change);
}
