import { utf8Decode } from "../src/base/bytes.js";
import type { DecodedEntry } from "../src/lwm2m/codec/codec.js";
import { codecOf } from "../src/lwm2m/codec/formats.js";
import { type Link, parseLinks } from "../src/lwm2m/codec/links.js";
import type { ModelRegistry } from "../src/lwm2m/model/model.js";
import { loadModels } from "../src/lwm2m/model/models.js";
import { formatPath, parsePath } from "../src/lwm2m/path.js";
import type { Value } from "../src/lwm2m/value.js";

export const models: ModelRegistry = await loadModels();

/** A response or a notification of the client. */
export interface Answer {
  /** What was asked, as `GET /3/0`. */
  readonly of: string;
  /** The path that was asked for. */
  readonly path: string;
  /** As `2.05`. */
  readonly code: string;
  readonly contentFormat: number;
  readonly locationPath: readonly string[];
  readonly payload: Uint8Array;
}

/** Values by path, with the prefix of a device where one was named, in the order of the payload. */
export function valuesOf(answer: Answer): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  for (const { path, value, prefix } of entriesOf(answer)) {
    if (value !== null) values.set(`${prefix === undefined ? "" : `/${prefix}`}${formatPath(path)}`, value);
  }
  return values;
}

/** The times of the values, wall clock, in the order of the message; of those without a time undefined. */
export function timesOf(answer: Answer): readonly (number | undefined)[] {
  return entriesOf(answer).map(({ atMs }) => atMs);
}

function entriesOf({ contentFormat, payload, path, of }: Answer): readonly DecodedEntry[] {
  const codec = codecOf(contentFormat);
  if (codec === undefined) throw new Error(`${of}: no codec for Content-Format ${contentFormat}`);
  const [, behind, own = path] = /^\/([^/\d][^/]*)(\/.*)$/.exec(path) ?? [];
  const entries = codec.decode(payload, {
    target: parsePath(own),
    ...(behind === undefined ? {} : { prefix: behind }),
    resource: (objectId, resourceId) => models.object(objectId)?.resources.get(resourceId),
    nowMs: 0,
  });
  return entries.map((entry) => (behind === undefined ? entry : { prefix: behind, ...entry }));
}

export function textOf({ payload }: Answer): string {
  return utf8Decode(payload) ?? "";
}

/** The links of a Discover as `</3/0/7>;dim=2;gt=6;lt=1`: attributes in alphabetic order, without `ver`. */
export function linksOf(answer: Answer): readonly string[] {
  return parseLinks(textOf(answer)).map(linkText);
}

export function linkText({ target, attributes }: Link): string {
  const shown = [...attributes].filter(([name]) => name !== "ver").map(([name, value]) => `;${name}=${value}`);
  return `<${target}>${shown.sort().join("")}`;
}
