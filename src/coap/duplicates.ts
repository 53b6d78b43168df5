import { Buffer } from "node:buffer";
import { NO_BYTES } from "../base/bytes.js";

/** Names one remembered message, also after its place was taken by another. */
export type Ticket = number;

/** What is known of a message that came before: its reply, or that there is none (yet). */
export type Known = Uint8Array | "unanswered";

/** A message that came and how it was answered. */
interface Slot {
  ticket: Ticket;
  messageId: number;
  atMs: number;
  /** The datagram and, right behind it, the reply; longer than both, and used again for the next message. */
  bytes: Uint8Array;
  datagramLength: number;
  /** 0 when it was not answered (yet). */
  replyLength: number;
}

const FIRST_SIZE = 16;

/**
 * Recognises duplicates (RFC 7252 §4.5). The id selects, the whole datagram decides: a peer that sends more than
 * 65,536 messages within EXCHANGE_LIFETIME uses ids again for other requests, and those must get through.
 *
 * The lower bits of the id are the place in a table that doubles while places are wanted twice, up to `limit`. Ids are
 * counted up by nearly every peer, so a table of n places holds the last n messages; and a busy endpoint neither
 * allocates nor leaves anything to collect.
 */
export class Duplicates {
  readonly #lifetimeMs: number;
  readonly #limit: number;
  #slots: (Slot | undefined)[] = new Array(FIRST_SIZE).fill(undefined);
  #ticket: Ticket = 0;

  /** `limit` is a power of two. */
  constructor(lifetimeMs: number, limit: number) {
    this.#lifetimeMs = lifetimeMs;
    this.#limit = limit;
  }

  /** Undefined for a message that is new. */
  find(messageId: number, datagram: Uint8Array, nowMs: number): Known | undefined {
    const slot = this.#slots[messageId & (this.#slots.length - 1)];
    if (slot === undefined || slot.messageId !== messageId || nowMs - slot.atMs >= this.#lifetimeMs) return undefined;
    const { bytes, datagramLength, replyLength } = slot;
    if (datagramLength !== datagram.length) return undefined;
    if (Buffer.compare(bytes.subarray(0, datagramLength), datagram) !== 0) return undefined;
    return replyLength === 0 ? "unanswered" : bytes.slice(datagramLength, datagramLength + replyLength);
  }

  remember(messageId: number, datagram: Uint8Array, nowMs: number): Ticket {
    const slot = this.#place(messageId, nowMs);
    slot.ticket = ++this.#ticket;
    slot.messageId = messageId;
    slot.atMs = nowMs;
    slot.datagramLength = 0;
    append(slot, datagram);
    slot.datagramLength = datagram.length;
    slot.replyLength = 0;
    return slot.ticket;
  }

  setReply(messageId: number, ticket: Ticket, reply: Uint8Array): void {
    const slot = this.#slots[messageId & (this.#slots.length - 1)];
    if (slot?.ticket !== ticket) return;
    append(slot, reply);
    slot.replyLength = reply.length;
  }

  /** For a message that was not acted upon: when it comes again it counts as new. */
  forget(messageId: number, ticket: Ticket): void {
    const place = messageId & (this.#slots.length - 1);
    if (this.#slots[place]?.ticket === ticket) this.#slots[place] = undefined;
  }

  #place(messageId: number, nowMs: number): Slot {
    for (;;) {
      const place = messageId & (this.#slots.length - 1);
      const slot = this.#slots[place];
      if (slot === undefined) {
        const fresh = { ticket: 0, messageId, atMs: 0, bytes: NO_BYTES, datagramLength: 0, replyLength: 0 };
        this.#slots[place] = fresh;
        return fresh;
      }
      const isFree = slot.messageId === messageId || nowMs - slot.atMs >= this.#lifetimeMs;
      if (isFree || this.#slots.length >= this.#limit) return slot;
      this.#grow();
    }
  }

  #grow(): void {
    const slots = new Array<Slot | undefined>(this.#slots.length * 2).fill(undefined);
    for (const slot of this.#slots) if (slot !== undefined) slots[slot.messageId & (slots.length - 1)] = slot;
    this.#slots = slots;
  }
}

const ROUND_UP = 63;
const SHORT = 64;

/** Writes behind the datagram. */
function append(slot: Slot, bytes: Uint8Array): void {
  const at = slot.datagramLength;
  if (at + bytes.length > slot.bytes.length) {
    const larger = new Uint8Array((at + bytes.length + ROUND_UP) & ~ROUND_UP);
    larger.set(slot.bytes.subarray(0, at));
    slot.bytes = larger;
  }
  const room = slot.bytes;
  if (bytes.length > SHORT) room.set(bytes, at);
  else for (let index = 0; index < bytes.length; index++) room[at + index] = bytes[index] ?? 0;
}
