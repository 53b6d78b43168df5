import { CausewayError } from "../base/errors.js";

/** Object, instance, resource and resource-instance id, as many as the target has: `[]` is the root. */
export type Path = readonly number[];

export const MAX_ID = 65535;

export function formatPath(path: Path): string {
  return `/${path.join("/")}`;
}

/** Undefined unless the segment is a decimal id of 0 to 65535 without leading zeros (OMA LwM2M Core 1.2 §7.3). */
export function parseId(segment: string): number | undefined {
  if (!/^(0|[1-9]\d{0,4})$/.test(segment)) return undefined;
  const id = Number(segment);
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
