import { systemClock } from "../base/clock.js";
import { Deadline } from "../base/deadline.js";
import { CausewayError, toError } from "../base/errors.js";
import type { StatusDocument, TraceDocument } from "../local/document.js";
import type { Explanation } from "../lwm2m/why.js";

export type StatusEvent =
  | ({ readonly atMs: number } & Explanation)
  /** So many events were passed over, because this reader was too slow. */
  | { readonly atMs: number; readonly count: number };

const ANSWER_MS = 10_000;

/** The running gateway as `GET /status` tells of it; rejects with LOCAL_UNREACHABLE. */
export async function fetchStatus(url: string, signal: AbortSignal): Promise<StatusDocument> {
  return (await fetchDocument(url, "/status", signal)) as StatusDocument;
}

/** The last frames of each bus; rejects with LOCAL_UNREACHABLE. */
export async function fetchTrace(url: string, signal: AbortSignal): Promise<TraceDocument> {
  return (await fetchDocument(url, "/trace", signal)) as TraceDocument;
}

async function fetchDocument(url: string, path: string, signal: AbortSignal): Promise<OwnDocument> {
  using deadline = new Deadline(systemClock, ANSWER_MS, signal);
  const response = await get(new URL(path, url), deadline.signal);
  const document: unknown = await response.json().catch(() => undefined);
  if (!isOwn(document)) throw new CausewayError("LOCAL_UNREACHABLE", `${url} is no gateway of this kind`);
  return document;
}

/** The decisions from now on, until the gateway or the signal ends them; rejects with LOCAL_UNREACHABLE. */
export async function* followEvents(url: string, signal: AbortSignal): AsyncGenerator<StatusEvent> {
  const response = await get(new URL("/events", url), signal);
  let waiting = "";
  const decoder = new TextDecoder();
  try {
    for await (const bytes of response.body ?? []) {
      waiting += decoder.decode(bytes, { stream: true });
      const blocks = waiting.split("\n\n");
      waiting = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) yield JSON.parse(data);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw unreachable(url, error);
  }
}

async function get(url: URL, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    throw unreachable(url.href, error);
  }
  if (response.ok) return response;
  const text = (await response.text()).trim();
  throw new CausewayError("LOCAL_UNREACHABLE", `${url.href}: ${response.status} ${text}`);
}

function unreachable(url: string, error: unknown): CausewayError {
  const cause = toError(error).cause;
  const what = cause instanceof Error && cause.message !== "" ? cause.message : toError(error).message;
  return new CausewayError("LOCAL_UNREACHABLE", `${url}: ${what}`, { cause: error });
}

interface OwnDocument {
  readonly program: "causeway";
}

function isOwn(document: unknown): document is OwnDocument {
  return typeof document === "object" && document !== null && "program" in document && document.program === "causeway";
}
