/** The bit that a station sets in the function code when it refuses (Modbus Application Protocol V1.1b3 §7). */
const EXCEPTION_BIT = 0x80;
const EXCEPTION_PDU_LENGTH = 2;
const WRITE_ANSWER_LENGTH = 5;

/** Length of the PDU that answers a request, if the station does not refuse it. */
export function answerLength(request: Uint8Array): number {
  const code = request[0] ?? 0;
  const quantity = ((request[3] ?? 0) << 8) | (request[4] ?? 0);
  if (code <= 2) return 2 + Math.ceil(quantity / 8);
  if (code <= 4) return 2 + 2 * quantity;
  return WRITE_ANSWER_LENGTH;
}

/** Length of a refusal to this request that starts with this function code; undefined for another code. */
export function expectedLength(request: Uint8Array, functionCode: number | undefined): number | undefined {
  if (functionCode === request[0]) return answerLength(request);
  return functionCode === ((request[0] ?? 0) | EXCEPTION_BIT) ? EXCEPTION_PDU_LENGTH : undefined;
}

/** Why a PDU cannot be the answer to a request; undefined when it can. */
export function answerProblem(request: Uint8Array, answer: Uint8Array): string | undefined {
  const length = expectedLength(request, answer[0]);
  if (length === undefined) return `function ${answer[0]} instead of ${request[0]}`;
  if (answer.length !== length) return `${answer.length} bytes instead of ${length}`;
  if (length === EXCEPTION_PDU_LENGTH) return undefined;
  if ((request[0] ?? 0) <= 4) {
    return answer[1] === length - 2 ? undefined : `byte count ${answer[1]} instead of ${length - 2}`;
  }
  // A write is answered by its first five bytes.
  return answer.every((byte, index) => byte === request[index]) ? undefined : "another write was acknowledged";
}
