import type { Request } from "./transport.js";

/** The bit that a station sets in the function code when it refuses (Modbus Application Protocol V1.1b3 §7). */
const EXCEPTION_BIT = 0x80;
const EXCEPTION_PDU_LENGTH = 2;
const MAX_PDU_LENGTH = 253;
/** Requests that are answered by their own first bytes, and by how many of them. */
const ECHOED: Readonly<Record<number, number>> = { 5: 5, 6: 5, 15: 5, 16: 5, 22: 7 };
const REPORT_SERVER_ID = 17;
const READ_WRITE = 23;
const ENCAPSULATED = 43;
const DEVICE_IDENTIFICATION = 14;
const IDENTIFICATION_HEADER = 7;

/** What tells how an answer must look. */
type Asked = Pick<Request, "pdu" | "registerBytes">;

/** Length of the PDU that answers a request, if the station does not refuse it; the longest where only it tells. */
export function answerLength(request: Asked): number {
  return fixedLength(request) ?? MAX_PDU_LENGTH;
}

/**
 * Length of the PDU that begins with these bytes, if it is to answer the request; `more` while they do not tell,
 * undefined when it answers another one.
 */
export function expectedLength(request: Asked, answer: Uint8Array): number | "more" | undefined {
  const [code] = answer;
  if (code === ((request.pdu[0] ?? 0) | EXCEPTION_BIT)) return EXCEPTION_PDU_LENGTH;
  if (code !== request.pdu[0]) return undefined;
  return fixedLength(request) ?? toldLength(answer);
}

/** Why a PDU cannot be the answer to a request; undefined when it can. */
export function answerProblem(request: Asked, answer: Uint8Array): string | undefined {
  const { pdu } = request;
  const length = expectedLength(request, answer);
  if (length === undefined) return `function ${answer[0]} instead of ${pdu[0]}`;
  if (answer.length !== length) {
    return isOfOtherRegisters(request, answer)
      ? otherRegisters(request)
      : `${answer.length} bytes instead of ${length}`;
  }
  const code = answer[0] ?? 0;
  if (code >= EXCEPTION_BIT) return undefined;
  if (hasByteCount(code)) {
    return answer[1] === length - 2 ? undefined : `byte count ${answer[1]} instead of ${length - 2}`;
  }
  if (code === ENCAPSULATED) return answer[2] === pdu[2] ? undefined : "another identification was sent";
  return answer.every((byte, index) => byte === pdu[index]) ? undefined : "another write was acknowledged";
}

/** Whether the answer would do if registers had four bytes, or two, unlike what the request says. */
function isOfOtherRegisters(request: Asked, answer: Uint8Array): boolean {
  return expectedLength(withOtherRegisters(request), answer) === answer.length && answer[1] === answer.length - 2;
}

export function withOtherRegisters<R extends Asked>(request: R): R {
  return { ...request, registerBytes: request.registerBytes === 4 ? 2 : 4 };
}

/** What is wrong when those would do. */
export function otherRegisters({ registerBytes = 2 }: Asked): string {
  const remedy = "'limits: { fourBytes: … }' of a mapping, --register-bytes of read";
  return `${registerBytes === 4 ? 2 : 4} bytes for each register instead of ${registerBytes} (${remedy})`;
}

/** The first bytes of a write's answer, if it is carried out. */
export function acknowledgement(request: Uint8Array): Uint8Array {
  return request.slice(0, ECHOED[request[0] ?? 0] ?? 0);
}

function fixedLength({ pdu, registerBytes = 2 }: Asked): number | undefined {
  const code = pdu[0] ?? 0;
  const quantity = ((pdu[3] ?? 0) << 8) | (pdu[4] ?? 0);
  if (code === 1 || code === 2) return 2 + Math.ceil(quantity / 8);
  if (code === 3 || code === 4 || code === READ_WRITE) return 2 + registerBytes * quantity;
  return ECHOED[code];
}

function hasByteCount(code: number): boolean {
  return code <= 4 || code === REPORT_SERVER_ID || code === READ_WRITE;
}

/** Of answers that say themselves how long they are (Modbus Application Protocol V1.1b3 §6.13 and §6.21). */
function toldLength(answer: Uint8Array): number | "more" | undefined {
  const [code, second] = answer;
  if (second === undefined) return "more";
  if (code === REPORT_SERVER_ID) return 2 + second;
  if (code !== ENCAPSULATED || second !== DEVICE_IDENTIFICATION) return undefined;
  const count = answer[IDENTIFICATION_HEADER - 1];
  if (count === undefined) return "more";
  let end = IDENTIFICATION_HEADER;
  for (let index = 0; index < count; index++) {
    const length = answer[end + 1];
    if (length === undefined) return "more";
    end += 2 + length;
  }
  return end <= MAX_PDU_LENGTH ? end : undefined;
}
