import type { Entry } from "../src/lwm2m/codec/codec.js";
import { codecOf } from "../src/lwm2m/codec/formats.js";
import { parsePath } from "../src/lwm2m/path.js";
import type { Value } from "../src/lwm2m/value.js";
import { models } from "./answer.js";
import type { Ask } from "./server.js";

/** Values of resources and resource instances by path. */
export type Values = Readonly<Record<string, Value>>;

/** The payload of a Write or Create at the path. */
export function payloadOf(path: string, values: Values, contentFormat: number): Ask {
  const codec = codecOf(contentFormat);
  if (codec === undefined) throw new Error(`no codec for Content-Format ${contentFormat}`);
  const entries = Object.entries(values).map(([of, value]): Entry => {
    const at = parsePath(of);
    const type = modelOf(at)?.type;
    if (type === undefined) throw new Error(`${of} has no value`);
    return { path: at, type, value };
  });
  return { contentFormat, payload: codec.encode(entries, { target: parsePath(path), nowMs: 0 }) };
}

/** What of the values a server may write. */
export function writable(values: ReadonlyMap<string, Value>): Values {
  return Object.fromEntries([...values].filter(([path]) => modelOf(parsePath(path))?.operations === "RW"));
}

function modelOf([objectId = -1, , resourceId = -1]: readonly number[]) {
  return models.object(objectId)?.resources.get(resourceId);
}
