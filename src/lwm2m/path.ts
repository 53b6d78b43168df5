import { CausewayError } from "../base/errors.js";

/** Object, instance, resource and resource-instance id, as many as the target has: `[]` is the root. */
export type Path = readonly number[];

export const MAX_ID = 65535;
const MAX_DIGITS = 5;
const ZERO = 0x30;

export function formatPath(path: Path): string {
  return `/${path.join("/")}`;
}

/** Undefined unless the segment is a decimal id of 0 to 65535 without leading zeros (OMA LwM2M Core 1.2 §7.3). */
export function parseId(segment: string): number | undefined {
  const { length } = segment;
  if (length === 0 || length > MAX_DIGITS || (length > 1 && segment.charCodeAt(0) === ZERO)) return undefined;
  let id = 0;
  for (let index = 0; index < length; index++) {
    const digit = segment.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    id = id * 10 + digit;
  }
  return id <= MAX_ID ? id : undefined;
}

/** `/3303/0/5700` as ids; throws LWM2M_BAD_OPTION on anything else, and on more than four segments. */
export function parsePath(text: string): Path {
  if (text === "/" || text === "") return [];
  const segments = text.replace(/^\//, "").split("/");
  const ids = segments.map(parseId);
  if (segments.length > 4 || ids.includes(undefined)) {
    throw new CausewayError("LWM2M_BAD_OPTION", `'${text}' is not an LwM2M path`);
  }
  return ids.filter((id) => id !== undefined);
}

/** True for the path itself and everything below it. */
export function isWithin(path: Path, ancestor: Path): boolean {
  return ancestor.length <= path.length && ancestor.every((id, index) => id === path[index]);
}
