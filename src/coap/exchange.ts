import { Code, codeClass } from "./code.js";
import type { MessageType } from "./message.js";
import type { CoapParameters } from "./parameters.js";

/** What the message layer does with a well-formed message. */
export type Disposition =
  | "ping"
  | "request"
  | "response"
  | "piggybacked-response"
  | "acknowledgement"
  | "reset"
  | "ignore";

/** RFC 7252 §4.2, §4.3 and Table 1: which codes may travel in which type. */
export function disposition(type: MessageType, code: number): Disposition {
  const isEmpty = code === Code.Empty;
  switch (type) {
    case "CON":
      if (isEmpty) return "ping";
      return codeClass(code) === 0 ? "request" : "response";
    case "NON":
      if (isEmpty) return "ignore";
      return codeClass(code) === 0 ? "request" : "response";
    case "ACK":
      if (isEmpty) return "acknowledgement";
      return codeClass(code) === 0 ? "ignore" : "piggybacked-response";
    case "RST":
      return isEmpty ? "reset" : "ignore";
  }
}

/** One sending of a confirmable message and the wait that follows it. */
export interface Transmission {
  /** 0 is the first. */
  readonly retransmission: number;
  readonly timeoutMs: number;
}

/** `random` returns 0 ≤ x < 1 (RFC 7252 §4.2: between ACK_TIMEOUT and ACK_TIMEOUT × ACK_RANDOM_FACTOR). */
export function firstTransmission(parameters: CoapParameters, random: () => number): Transmission {
  const spreadMs = parameters.ackTimeoutMs * (parameters.ackRandomFactor - 1);
  return { retransmission: 0, timeoutMs: parameters.ackTimeoutMs + spreadMs * random() };
}

/** What follows when the wait was in vain: another transmission, or undefined to give up. */
export function nextTransmission(last: Transmission, parameters: CoapParameters): Transmission | undefined {
  if (last.retransmission >= parameters.maxRetransmit) return undefined;
  return { retransmission: last.retransmission + 1, timeoutMs: last.timeoutMs * 2 };
}

const NO_RESPONSE_CLASSES: Readonly<Record<number, number>> = { 2: 2, 4: 8, 5: 16 };

/** Whether the No-Response option says that the client does not want a response of this code (RFC 7967 §2.1). */
export function isUnwanted(code: number, noResponse: number | undefined): boolean {
  return noResponse !== undefined && (noResponse & (NO_RESPONSE_CLASSES[codeClass(code)] ?? 0)) !== 0;
}
