import type { CoapRequest } from "../coap/request.js";

/**
 * Where a client has its objects instead of at `/` (OMA LwM2M Transport 1.2 §6.4.1): the segments, none of which is a
 * number; `[]` is `/` itself. Registration and bootstrap interfaces are the server's, and are not below it.
 */
export type AlternatePath = readonly string[];

export const NO_ALTERNATE_PATH: AlternatePath = [];

/** `/lwm2m`, or nothing. */
export function formatAlternatePath(alternatePath: AlternatePath): string {
  return alternatePath.map((segment) => `/${segment}`).join("");
}

/** The request as one for objects at `/`; undefined when its path is not below the alternate one. */
export function withoutAlternatePath<R extends CoapRequest>(request: R, alternatePath: AlternatePath): R | undefined {
  const { length } = alternatePath;
  if (length === 0) return request;
  const isBelow = alternatePath.every((segment, index) => request.path[index] === segment);
  return isBelow ? { ...request, path: request.path.slice(length) } : undefined;
}

/** What `withoutAlternatePath` was given. */
export function withAlternatePath<R extends CoapRequest>(request: R, alternatePath: AlternatePath): R {
  return alternatePath.length === 0 ? request : { ...request, path: [...alternatePath, ...request.path] };
}
