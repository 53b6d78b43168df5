import { CausewayError } from "../../base/errors.js";
import { formatPath, isWithin, parseId } from "../path.js";
import { fitsType, type ObjectLink, type ResourceType, type Value } from "../value.js";
import type { DecodeContext, Entry } from "./codec.js";

/** What all content formats share: the textual forms of values, and the complaints. */

export function decodeError(what: string, cause?: unknown): CausewayError {
  return new CausewayError("LWM2M_DECODE", what, { cause });
}

export function formatLink(link: ObjectLink): string {
  return `${link.objectId}:${link.instanceId}`;
}

/** `10:3`; undefined on anything else. A trailing NUL, which some devices send, is allowed. */
export function parseLink(text: string): ObjectLink | undefined {
  const [objectId, instanceId, ...rest] = text.replace(/\0$/, "").split(":").map(parseId);
  return objectId === undefined || instanceId === undefined || rest.length > 0 ? undefined : { objectId, instanceId };
}

/**
 * The model's type of the resource at a path of three or four ids within the target. Undefined for an unknown resource,
 * which decoders drop (OMA LwM2M Core 1.2 §6.3.3). Throws LWM2M_DECODE when the path's depth does not fit.
 */
export function typeAt(path: readonly number[], context: DecodeContext, prefix?: string): ResourceType | undefined {
  const [objectId, , resourceId, resourceInstanceId] = path;
  if (!isWithin(path, context.target))
    throw decodeError(`${formatPath(path)} is outside of ${formatPath(context.target)}`);
  if (objectId === undefined || resourceId === undefined) throw decodeError(`${formatPath(path)} is not a resource`);
  const model = context.resource(objectId, resourceId, prefix);
  if (model === undefined) return undefined;
  if (model.multiple !== (resourceInstanceId !== undefined)) {
    throw decodeError(`${formatPath(path)} is ${model.multiple ? "a multiple" : "a single"} resource`);
  }
  if (model.type === undefined) throw decodeError(`${formatPath(path)} has no value`);
  return model.type;
}

/** Throws LWM2M_DECODE unless the prefix is that of the request; a request without one takes any. */
export function checkPrefix(path: readonly number[], prefix: string | undefined, context: DecodeContext): void {
  if (context.prefix === undefined || prefix === context.prefix) return;
  throw decodeError(`${formatPath(path)} is not behind /${context.prefix}`);
}

/** The only value of formats that carry one: throws LWM2M_NOT_ACCEPTABLE unless there is exactly one. */
export function singleEntry(entries: readonly Entry[], format: string): Entry {
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) {
    throw new CausewayError("LWM2M_NOT_ACCEPTABLE", `${format} carries one value, not ${entries.length}`);
  }
  return entry;
}

/** Number and bigint of any whole value as the type's own form: number within 2^53, bigint beyond. */
export function wholeValue(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** A received number as a value of a numeric type; undefined when the type is another or the number does not fit. */
export function numberValue(type: ResourceType, received: number | bigint): Value | undefined {
  if (type === "float") return Number(received);
  const value = typeof received === "bigint" ? wholeValue(received) : received;
  const numeric = type === "integer" || type === "unsigned" || type === "time";
  return numeric && fitsType(type, value) ? value : undefined;
}

/** Standard or URL-safe base64, padded or not; undefined on anything else. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/={0,2}$/, "");
  if (!/^[A-Za-z0-9+/_-]*$/.test(digits) || digits.length % 4 === 1) return undefined;
  return new Uint8Array(Buffer.from(digits, "base64"));
}

export function encodeBase64(bytes: Uint8Array, alphabet: "base64" | "base64url"): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(alphabet);
}
