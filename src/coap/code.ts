import type { Method } from "./request.js";

/** Code bytes: class in the upper three bits, detail in the lower five (RFC 7252 §12.1, RFC 7959 §6, RFC 8132 §6). */
export const Code = {
  Empty: 0x00,
  Get: 0x01,
  Post: 0x02,
  Put: 0x03,
  Delete: 0x04,
  Fetch: 0x05,
  Patch: 0x06,
  IPatch: 0x07,
  Created: 0x41,
  Deleted: 0x42,
  Valid: 0x43,
  Changed: 0x44,
  Content: 0x45,
  Continue: 0x5f,
  BadRequest: 0x80,
  Unauthorized: 0x81,
  BadOption: 0x82,
  Forbidden: 0x83,
  NotFound: 0x84,
  MethodNotAllowed: 0x85,
  NotAcceptable: 0x86,
  RequestEntityIncomplete: 0x88,
  Conflict: 0x89,
  PreconditionFailed: 0x8c,
  RequestEntityTooLarge: 0x8d,
  UnsupportedContentFormat: 0x8f,
  UnprocessableEntity: 0x96,
  TooManyRequests: 0x9d,
  InternalServerError: 0xa0,
  NotImplemented: 0xa1,
  BadGateway: 0xa2,
  ServiceUnavailable: 0xa3,
  GatewayTimeout: 0xa4,
  ProxyingNotSupported: 0xa5,
} as const;

export const METHOD_CODE: Readonly<Record<Method, number>> = {
  GET: Code.Get,
  POST: Code.Post,
  PUT: Code.Put,
  DELETE: Code.Delete,
  FETCH: Code.Fetch,
  PATCH: Code.Patch,
  iPATCH: Code.IPatch,
};

const METHODS: readonly (Method | undefined)[] = [
  undefined,
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "FETCH",
  "PATCH",
  "iPATCH",
];

/** Undefined for a code that is no known method. */
export function methodOf(code: number): Method | undefined {
  return METHODS[code];
}

/** 0 request or empty, 2 success, 4 client error, 5 server error, 7 signalling (RFC 8323 §5). */
export function codeClass(code: number): number {
  return code >> 5;
}

/** As `class.detail`: 0x84 is "4.04". */
export function formatCode(code: number): string {
  return `${code >> 5}.${String(code & 0x1f).padStart(2, "0")}`;
}

/** The code byte of `class.detail`, e.g. 0x84 of "4.04"; throws RangeError on any other text. */
export function parseCode(text: string): number {
  const [, codeClassDigit, detail] = /^([0-7])\.(\d\d)$/.exec(text) ?? [];
  if (codeClassDigit === undefined || Number(detail) > 31) throw new RangeError(`not a CoAP code: ${text}`);
  return (Number(codeClassDigit) << 5) | Number(detail);
}
