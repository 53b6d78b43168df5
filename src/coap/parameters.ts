import type { BlockSize } from "./block.js";

/** Transmission parameters of RFC 7252 §4.8 and the bounds of what an endpoint keeps. */
export interface CoapParameters {
  readonly ackTimeoutMs: number;
  /** At least 1. */
  readonly ackRandomFactor: number;
  readonly maxRetransmit: number;
  /** Confirmable requests and notifications that may wait for their acknowledgement at a time. */
  readonly nstart: number;
  /** Further ones that may queue behind them. */
  readonly queueLimit: number;
  /** How long a handler may think before an empty acknowledgement goes out; less than the peer's ACK_TIMEOUT. */
  readonly ackDelayMs: number;
  /** How long an acknowledged request waits for its separate response. */
  readonly separateResponseMs: number;
  /** Largest block sent and asked for. */
  readonly blockSize: BlockSize;
  /** Largest body put together from blocks, either way. */
  readonly maxBodyBytes: number;
  /** Block-wise bodies held at a time: uploads being received, and again snapshots being fetched. */
  readonly transferLimit: number;
  /** Messages remembered to recognise duplicates, a power of two: a busy peer's older ones are forgotten earlier. */
  readonly duplicateLimit: number;
}

const MAX_LATENCY_MS = 100_000;

export const DEFAULT_PARAMETERS: CoapParameters = {
  ackTimeoutMs: 2_000,
  ackRandomFactor: 1.5,
  maxRetransmit: 4,
  nstart: 1,
  queueLimit: 1_024,
  ackDelayMs: 1_000,
  separateResponseMs: 247_000,
  blockSize: 1_024,
  maxBodyBytes: 1_048_576,
  transferLimit: 32,
  duplicateLimit: 4_096,
};

/** MAX_TRANSMIT_WAIT: from the first transmission until the sender gives up, 93 s by default (RFC 7252 §4.8.2). */
export function maxTransmitWaitMs(parameters: CoapParameters): number {
  return parameters.ackTimeoutMs * (2 ** (parameters.maxRetransmit + 1) - 1) * parameters.ackRandomFactor;
}

/** EXCHANGE_LIFETIME: until a message id may be used again, 247 s by default (RFC 7252 §4.8.2). */
export function exchangeLifetimeMs(parameters: CoapParameters): number {
  const maxTransmitSpanMs = parameters.ackTimeoutMs * (2 ** parameters.maxRetransmit - 1) * parameters.ackRandomFactor;
  return maxTransmitSpanMs + 2 * MAX_LATENCY_MS + parameters.ackTimeoutMs;
}
