import { CausewayError } from "../../base/errors.js";
import { Code } from "../../coap/code.js";
import type { CoapResponse, IncomingRequest } from "../../coap/request.js";
import type { DecodedEntry } from "../codec/codec.js";
import { ContentFormat, codecFor } from "../codec/formats.js";
import { contentResponse, emptyResponse, negotiate } from "../operation/content.js";
import { notAllowed, read } from "../operation/operations.js";
import { type Path, parseId } from "../path.js";
import type { ObjectTree } from "../tree.js";
import { bootstrapLinks } from "./bootstrap-discover.js";
import { bootstrapDelete, bootstrapReplace, bootstrapWrite, checkWritable } from "./bootstrap-write.js";

/** Server and Access Control: all that Bootstrap-Read may see (OMA LwM2M Core 1.2 §6.1.7.4). */
const READABLE: ReadonlySet<number> = new Set([1, 2]);

/** Bootstrap-Finish (OMA LwM2M Transport 1.2 §6.4.2). */
export function isFinish({ method, path }: IncomingRequest): boolean {
  return method === "POST" && path.length === 1 && path[0] === "bs";
}

/**
 * Carries a bootstrap server's request out on the draft's tree and gives the answer. Throws CausewayError LWM2M_* and
 * VALUE_INVALID.
 */
export function bootstrapAnswer(tree: ObjectTree, request: IncomingRequest, nowMs: number): CoapResponse {
  const path = pathOf(request);
  const [option] = request.query;
  if (option !== undefined) throw new CausewayError("LWM2M_BAD_OPTION", `the query '${option}' has no meaning here`);
  switch (request.method) {
    case "GET":
      return request.accept === ContentFormat.linkFormat
        ? discover(tree, path)
        : bootstrapRead(tree, path, request.accept, nowMs);
    case "PUT":
      bootstrapWrite(tree, path, decode(tree, path, request, nowMs), nowMs);
      return emptyResponse(Code.Changed);
    case "DELETE":
      bootstrapDelete(tree, path);
      return emptyResponse(Code.Deleted);
    default:
      throw notAllowed(path, `has no ${request.method} for bootstrap servers`);
  }
}

/** Puts a Bootstrap-Pack into the draft's tree; throws as `bootstrapAnswer` does. */
export function unpack(tree: ObjectTree, { contentFormat, payload }: CoapResponse, nowMs: number): void {
  const codec = contentFormat === undefined ? undefined : codecFor(contentFormat, "composite");
  if (codec === undefined) throw unsupported(contentFormat);
  const entries = codec.decode(payload, { target: [], resource: modelIn(tree), nowMs });
  bootstrapReplace(tree, entries, nowMs);
}

function discover(tree: ObjectTree, path: Path): CoapResponse {
  const links = bootstrapLinks(tree, path);
  return { code: Code.Content, contentFormat: ContentFormat.linkFormat, payload: Buffer.from(links) };
}

function bootstrapRead(tree: ObjectTree, path: Path, accept: number | undefined, nowMs: number): CoapResponse {
  const isReadable = READABLE.has(path[0] ?? -1) && path.length <= 2;
  if (!isReadable) throw notAllowed(path, "cannot be read by a bootstrap server");
  const { entries } = read(tree, path, nowMs);
  return contentResponse(negotiate(accept, "values", undefined, "1.2"), entries, path, nowMs, "none");
}

function decode(
  tree: ObjectTree,
  path: Path,
  { contentFormat, payload }: IncomingRequest,
  nowMs: number,
): readonly DecodedEntry[] {
  checkWritable(tree, path);
  const lookup = modelIn(tree);
  const isOne = path.length === 3 && lookup(path[0] ?? -1, path[2] ?? -1)?.multiple === false;
  const format = contentFormat ?? (isOne ? ContentFormat.text : undefined);
  const codec = format === undefined ? undefined : codecFor(format, isOne ? "value" : "values");
  if (codec === undefined) throw unsupported(format);
  const entries = codec.decode(payload, { target: path, resource: lookup, nowMs });
  if (entries.some(({ prefix }) => prefix !== undefined))
    throw notAllowed(path, "has no devices for bootstrap servers");
  return entries;
}

/** Resources without a value are left out, as unknown ones are. */
function modelIn(tree: ObjectTree) {
  return (objectId: number, resourceId: number) => {
    const model = tree.objects.get(objectId)?.model.resources.get(resourceId);
    return model?.type === undefined ? undefined : model;
  };
}

/** Ids only: what is behind the gateway is not for bootstrap servers (OMA LwM2M Gateway 1.1.1 §6.2). */
function pathOf({ path: segments }: IncomingRequest): Path {
  const path: number[] = [];
  for (const segment of segments) {
    const id = parseId(segment);
    if (id === undefined || path.length === 3) {
      throw new CausewayError("LWM2M_NOT_ALLOWED", `/${segments.join("/")} is not for bootstrap servers`);
    }
    path.push(id);
  }
  return path;
}

function unsupported(contentFormat: number | undefined): CausewayError {
  const what = contentFormat === undefined ? "a payload without Content-Format" : `content format ${contentFormat}`;
  return new CausewayError("LWM2M_UNSUPPORTED_FORMAT", `${what} is not supported here`);
}
