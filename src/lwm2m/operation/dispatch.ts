import { NO_BYTES, utf8Decode } from "../../base/bytes.js";
import type { Clock } from "../../base/clock.js";
import { CausewayError, toError } from "../../base/errors.js";
import type { Log } from "../../base/log.js";
import { Code } from "../../coap/code.js";
import type { CoapRequest, CoapResponse, IncomingRequest } from "../../coap/request.js";
import type { AlternatePath } from "../alternate-path.js";
import { withAlternateNames } from "../codec/alternate-names.js";
import type { Codec, DecodedEntry } from "../codec/codec.js";
import { ContentFormat, codecFor } from "../codec/formats.js";
import type { Lwm2mVersion } from "../model/models.js";
import { checkApplicable, parseAttributes } from "../observation/attributes.js";
import type { Observable } from "../observation/observed.js";
import type { Observer } from "../observation/observer.js";
import type { Path } from "../path.js";
import { authorise, type TreeView, type Views } from "../views.js";
import { type Explainer, refusalReason } from "../why.js";
import type { Requester } from "./apply.js";
import { compositeResource, writeComposite } from "./composite.js";
import { contentResponse, emptyResponse, errorResponse } from "./content.js";
import { create } from "./create.js";
import { discover } from "./discover.js";
import { execute, find, notAllowed, type ReadResult, remove } from "./operations.js";
import { observableOf, readRequest } from "./read-request.js";
import { compositeCodec, targetOf, unsupported } from "./request-target.js";
import { type WriteMode, write } from "./write.js";

export interface DispatchOptions {
  readonly views: Views;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly log: Log;
  /** In links, names and locations; requests come without it. */
  readonly alternatePath: AlternatePath;
  /** The server; its signal aborts when the registration ends. Most sessions never change anything, and have no signal. */
  requester(): Requester;
  /** The version of the registration. */
  version(): Lwm2mVersion;
  /** Hears of each request that is refused, and why. */
  readonly explainer?: Explainer | undefined;
}

type Answer = CoapResponse | Promise<CoapResponse>;

/**
 * One server's requests as operations (OMA LwM2M Transport 1.2 §6.4.4). Reads are answered at once, without a promise.
 * Whatever a request holds, there is an answer.
 */
export class Dispatcher {
  readonly #options: DispatchOptions;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  handle(request: IncomingRequest): Answer {
    try {
      const answer = this.#operate(request);
      return answer instanceof Promise ? answer.catch((error: unknown) => this.refuse(request, error)) : answer;
    } catch (error) {
      return this.refuse(request, error);
    }
  }

  /** The answer to what cannot be carried out, which is told to the explainer. */
  refuse(request: IncomingRequest, error: unknown): CoapResponse {
    this.#options.explainer?.note?.(refusalReason(request, error));
    if (error instanceof CausewayError) return errorResponse(error);
    this.#options.log.error("a request ended in a defect", { error: toError(error) });
    return emptyResponse(Code.InternalServerError);
  }

  #operate(request: IncomingRequest): Answer {
    const { view, path } = targetOf(request, this.#options.views);
    switch (request.method) {
      case "GET":
        return this.#get(request, view, path);
      case "PUT":
        return request.contentFormat === undefined && request.payload.length === 0
          ? this.#writeAttributes(request, view, path)
          : this.#write(request, view, path, "replace");
      case "POST":
        return this.#post(request, view, path);
      case "DELETE":
        forbidQuery(request);
        authorise(view, "delete", path);
        remove(view.tree, path);
        return emptyResponse(Code.Deleted);
      case "FETCH":
        return this.#read(request);
      case "iPATCH":
        return this.#writeComposite(request, view, path);
      case "PATCH":
        throw notAllowed(path, "has no PATCH");
    }
  }

  #get(request: IncomingRequest, view: TreeView, path: Path): Answer {
    if (request.accept === ContentFormat.linkFormat && request.observe === undefined)
      return this.#discover(request, view, path);
    return this.#read(request);
  }

  /** What an Observe of before a restart observes, and what is there now; throws LWM2M_* when it is gone. */
  restorable(request: CoapRequest): readonly [Observable, ReadResult] {
    const { views, clock, alternatePath } = this.#options;
    const version = this.#options.version();
    const nowMs = clock.nowMs();
    const read = readRequest(request, { views, version, nowMs, alternatePath, valueless: "empty" });
    return [observableOf(request, read, version), read.result];
  }

  /** Read and Read-Composite, their observation and its cancellation. */
  #read(request: IncomingRequest): CoapResponse {
    const { views, clock, observer, alternatePath } = this.#options;
    const version = this.#options.version();
    const nowMs = clock.nowMs();
    const read = readRequest(request, { views, version, nowMs, alternatePath });
    if (request.observe === 0) return observer.observe(request, observableOf(request, read, version), read.result);
    if (request.observe === 1) observer.cancel(request.token);
    else forbidQuery(request);
    return contentResponse(read.codec, read.result.entries, read.target.path, nowMs);
  }

  #discover(request: IncomingRequest, view: TreeView, path: Path): CoapResponse {
    const { tree, attributes } = view;
    const { alternatePath } = this.#options;
    const version = this.#options.version();
    const depth = version === "1.2" ? depthOf(request.query) : undefined;
    const wanted = { path, version, alternatePath, ...(depth === undefined ? {} : { depth }) };
    const links = discover(tree, wanted, attributes);
    return { code: Code.Content, contentFormat: ContentFormat.linkFormat, payload: Buffer.from(links) };
  }

  #post(request: IncomingRequest, view: TreeView, path: Path): Answer {
    if (path.length === 0) throw notAllowed(path, "cannot be posted to");
    if (path.length === 1) return this.#create(request, view, path);
    if (path.length !== 3) return this.#write(request, view, path, "update");
    const { contentFormat } = request;
    const isText = contentFormat === undefined || contentFormat === ContentFormat.text;
    const isExecutable = find(view.tree, path).resource?.model.operations === "E";
    if (!isText && !isExecutable) return this.#write(request, view, path, "update");
    if (!isText) throw unsupported(contentFormat);
    return this.#execute(request, view, path);
  }

  async #execute(request: IncomingRequest, view: TreeView, path: Path): Promise<CoapResponse> {
    forbidQuery(request);
    const args = utf8Decode(request.payload);
    if (args === undefined) throw bad("the arguments are not UTF-8");
    authorise(view, "execute", path);
    await execute(view.tree, path, args, this.#options.requester().signal);
    return emptyResponse(Code.Changed);
  }

  async #write(request: IncomingRequest, view: TreeView, path: Path, mode: WriteMode): Promise<CoapResponse> {
    const { tree } = view;
    const { clock, requester } = this.#options;
    forbidQuery(request);
    if (path.length < 2) throw notAllowed(path, "cannot be written as a whole");
    authorise(view, "write", path);
    const [objectId = -1, instanceId = -1, resourceId = -1] = path;
    const model = tree.resource(objectId, instanceId, resourceId)?.model;
    // A payload for what cannot be written need not even be decodable.
    if (model?.operations.includes("W") === false) throw notAllowed(path, "cannot be written");
    const entries = this.#decode(request, view, path);
    await write(tree, { path, mode, entries, nowMs: clock.nowMs() }, requester());
    return emptyResponse(Code.Changed);
  }

  async #create(request: IncomingRequest, view: TreeView, path: Path): Promise<CoapResponse> {
    const { tree, prefix } = view;
    const { clock, requester, alternatePath } = this.#options;
    forbidQuery(request);
    if (find(tree, path).object.factory?.by !== "servers") throw notAllowed(path, "takes no new instances");
    authorise(view, "create", path);
    const entries = this.#decode(request, view, path);
    const created = await create(tree, path, entries, clock.nowMs(), requester());
    for (const instanceId of created) view.access.created(path[0] ?? -1, instanceId);
    const [only, ...others] = created;
    if (only === undefined || others.length > 0) return emptyResponse(Code.Created);
    return {
      code: Code.Created,
      locationPath: [...alternatePath, ...(prefix === undefined ? [] : [prefix]), ...path, only].map(String),
      payload: NO_BYTES,
    };
  }

  #decode(request: IncomingRequest, view: TreeView, path: Path): readonly DecodedEntry[] {
    const { tree, prefix } = view;
    const { clock } = this.#options;
    const codec = this.#payloadCodec(request, view, path);
    const entries = codec.decode(request.payload, {
      target: path,
      ...(prefix === undefined ? {} : { prefix }),
      resource: (objectId, resourceId) => tree.objects.get(objectId)?.model.resources.get(resourceId),
      nowMs: clock.nowMs(),
    });
    // Formats without names have no prefix either.
    const stray = entries.find((entry) => entry.prefix !== undefined && entry.prefix !== prefix);
    if (stray !== undefined) throw bad(`/${stray.prefix} is not within the request's path`);
    return entries;
  }

  /** Without a Content-Format one value is taken for plain text, as older servers mean it. */
  #payloadCodec(request: IncomingRequest, view: TreeView, path: Path): Codec {
    const { tree } = view;
    const model = tree.objects.get(path[0] ?? -1)?.model.resources.get(path[2] ?? -1);
    const isOne = path.length === 4 || (path.length === 3 && model?.multiple === false);
    const contentFormat = request.contentFormat ?? (isOne ? ContentFormat.text : undefined);
    const codec = contentFormat === undefined ? undefined : codecFor(contentFormat, isOne ? "value" : "values");
    if (codec === undefined) {
      // What is not there is the better answer than what it cannot be written with.
      find(tree, path);
      throw unsupported(contentFormat);
    }
    return withAlternateNames(codec, this.#options.alternatePath);
  }

  async #writeComposite(request: IncomingRequest, view: TreeView, path: Path): Promise<CoapResponse> {
    const { views, clock, requester, alternatePath } = this.#options;
    forbidQuery(request);
    const codec = withAlternateNames(compositeCodec(request, { view, path }, "patch"), alternatePath);
    const entries = codec.decode(request.payload, {
      target: path,
      resource: (objectId, resourceId, prefix) => compositeResource(views.mustFind(prefix), objectId, resourceId),
      nowMs: clock.nowMs(),
    });
    await writeComposite(views, entries, clock.nowMs(), requester());
    return emptyResponse(Code.Changed);
  }

  #writeAttributes(request: IncomingRequest, view: TreeView, path: Path): CoapResponse {
    const { tree, attributes } = view;
    if (request.query.length === 0) throw bad("neither a value nor attributes to write");
    const target = find(tree, path);
    authorise(view, "read", path);
    const change = parseAttributes(request.query);
    checkApplicable(change, path, target.resource?.model);
    attributes.write(path, change);
    this.#options.observer.attributesChanged(view, path);
    return emptyResponse(Code.Changed);
  }
}

function depthOf(query: readonly string[]): number | undefined {
  const [option, ...others] = query;
  if (option === undefined) return undefined;
  const depth = /^depth=([0-3])$/.exec(option)?.[1];
  if (depth === undefined || others.length > 0) throw bad(`'${query.join("&")}' is not a depth of 0 to 3`);
  return Number(depth);
}

// Uri-Query is a critical option: what is not understood must not be passed over (RFC 7252 §5.4.1).
function forbidQuery(request: IncomingRequest): void {
  const [option] = request.query;
  if (option !== undefined) throw new CausewayError("LWM2M_BAD_OPTION", `the query '${option}' has no meaning here`);
}

function bad(what: string): CausewayError {
  return new CausewayError("LWM2M_BAD_REQUEST", what);
}
