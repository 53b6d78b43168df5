/** Names one remembered message, also after its place was taken by another. */
export type Ticket = number;

/** What is known of a message that came before: its reply, or that there is none (yet). */
export type Known = Uint8Array | "unanswered";

/** A message that came and how it was answered; the arrays are longer than their content and used again. */
interface Slot {
  ticket: Ticket;
  messageId: number;
  atMs: number;
  datagram: Uint8Array;
  datagramLength: number;
  reply: Uint8Array;
  /** 0 when it was not answered (yet). */
  replyLength: number;
}

const FIRST_SIZE = 16;
const NOTHING = new Uint8Array(0);

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
    if (slot.datagramLength !== datagram.length) return undefined;
    if (Buffer.compare(slot.datagram.subarray(0, slot.datagramLength), datagram) !== 0) return undefined;
    return slot.replyLength === 0 ? "unanswered" : slot.reply.slice(0, slot.replyLength);
  }

  remember(messageId: number, datagram: Uint8Array, nowMs: number): Ticket {
    const slot = this.#place(messageId, nowMs);
    slot.ticket = ++this.#ticket;
    slot.messageId = messageId;
    slot.atMs = nowMs;
    slot.datagram = copyInto(slot.datagram, datagram);
    slot.datagramLength = datagram.length;
    slot.replyLength = 0;
    return slot.ticket;
  }

  setReply(messageId: number, ticket: Ticket, reply: Uint8Array): void {
    const slot = this.#slots[messageId & (this.#slots.length - 1)];
    if (slot?.ticket !== ticket) return;
    slot.reply = copyInto(slot.reply, reply);
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
        const fresh = {
          ticket: 0,
          messageId,
          atMs: 0,
          datagram: NOTHING,
          datagramLength: 0,
          reply: NOTHING,
          replyLength: 0,
        };
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

/** Returns `target`, or a larger array where the bytes do not fit. */
function copyInto(target: Uint8Array, bytes: Uint8Array): Uint8Array {
  const room = bytes.length > target.length ? new Uint8Array((bytes.length + ROUND_UP) & ~ROUND_UP) : target;
  if (bytes.length > SHORT) room.set(bytes);
  else for (let index = 0; index < bytes.length; index++) room[index] = bytes[index] ?? 0;
  return room;
}
