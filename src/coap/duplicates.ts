/** A message that came and how it was answered; without `reply` it was not answered (yet). */
export interface Received {
  readonly datagram: Uint8Array;
  readonly atMs: number;
  reply?: Uint8Array;
}

const BYTES_PER_GENERATION = 1_048_576;

/**
 * Recognises duplicates (RFC 7252 §4.5). The id selects, the whole datagram decides: a peer that sends more than
 * 65,536 messages within EXCHANGE_LIFETIME uses ids again for other requests, and those must get through.
 *
 * Two generations that take turns bound the memory without a timer or a list per message.
 */
export class Duplicates {
  readonly #lifetimeMs: number;
  readonly #generationLimit: number;
  #young = new Map<number, Received>();
  #old = new Map<number, Received>();
  #youngBytes = 0;
  #turnedAtMs = 0;

  constructor(lifetimeMs: number, limit: number) {
    this.#lifetimeMs = lifetimeMs;
    this.#generationLimit = Math.max(1, limit / 2);
  }

  find(messageId: number, datagram: Uint8Array, nowMs: number): Received | undefined {
    const received = this.#young.get(messageId) ?? this.#old.get(messageId);
    if (received === undefined || nowMs - received.atMs >= this.#lifetimeMs) return undefined;
    return Buffer.compare(received.datagram, datagram) === 0 ? received : undefined;
  }

  remember(messageId: number, datagram: Uint8Array, nowMs: number): Received {
    this.#turn(nowMs);
    const received: Received = { datagram, atMs: nowMs };
    this.#young.set(messageId, received);
    this.#youngBytes += datagram.length;
    return received;
  }

  setReply(received: Received, reply: Uint8Array): void {
    received.reply = reply;
    this.#youngBytes += reply.length;
  }

  /** For a message that was not acted upon: when it comes again it counts as new. */
  forget(messageId: number, received: Received): void {
    for (const generation of [this.#young, this.#old]) {
      if (generation.get(messageId) === received) generation.delete(messageId);
    }
  }

  #turn(nowMs: number): void {
    const isFull = this.#young.size >= this.#generationLimit || this.#youngBytes >= BYTES_PER_GENERATION;
    if (!isFull && nowMs - this.#turnedAtMs < this.#lifetimeMs) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
    this.#turnedAtMs = nowMs;
  }
}
