import { systemClock } from "../src/base/clock.js";
import type { Answer } from "./answer.js";
import { Difference } from "./difference.js";
import type { Mailbox } from "./mailbox.js";

export interface Arrival {
  readonly answer: Answer;
  /** The 24 bit of its Observe option. */
  readonly sequence: number;
  readonly atMs: number;
}

/** On a busy machine a timer fires later, and what it sends arrives later. */
const LATE_MS = 3000;
/** By so much may what arrived before have been late. */
const EARLY_MS = 500;

/** One observation at the client, as the server sees it. */
export class Observation {
  /** The answer that began it. */
  readonly first: Answer;
  /** What the next notification is answered with, when it is confirmable; a Reset ends the observation. */
  reply: "ACK" | "RST" = "ACK";
  readonly #arrivals: Mailbox<Arrival>;
  readonly #cancel: () => Promise<Answer>;
  #lastAtMs = systemClock.monotonicMs();
  #lastSequence = -1;

  constructor(first: Answer, arrivals: Mailbox<Arrival>, cancel: () => Promise<Answer>) {
    this.first = first;
    this.#arrivals = arrivals;
    this.#cancel = cancel;
  }

  /** Of the newest notification. */
  get sequence(): number {
    return this.#lastSequence;
  }

  /** The next notification, which must come so many seconds after the one before it. */
  async next(earliestS: number, latestS: number): Promise<Answer> {
    const withinMs = this.#lastAtMs + latestS * 1000 + LATE_MS - systemClock.monotonicMs();
    const what = `notification of ${this.first.of}`;
    const { answer, sequence, atMs } = await this.#arrivals.take(what, () => true, Math.ceil(withinMs));
    const afterMs = Math.round(atMs - this.#lastAtMs);
    if (afterMs < earliestS * 1000 - EARLY_MS) throw new Difference(what, `not before ${earliestS} s`, `${afterMs} ms`);
    if (sequence <= this.#lastSequence) {
      throw new Difference(`Observe of ${what}`, `more than ${this.#lastSequence}`, String(sequence));
    }
    this.#lastAtMs = atMs;
    this.#lastSequence = sequence;
    return answer;
  }

  /** The response without an Observe option that ends it (RFC 7641 §4.2); what comes before it is passed over. */
  async end(withinMs: number): Promise<Answer> {
    const { answer } = await this.#arrivals.take(`end of ${this.first.of}`, ({ sequence }) => sequence < 0, withinMs);
    return answer;
  }

  /** Observe=1 with the token of the observation (RFC 7641 §3.6). */
  cancel(): Promise<Answer> {
    return this.#cancel();
  }

  /** What is under way may still come; after that nothing. */
  async expectSilence(forMs: number): Promise<void> {
    this.#arrivals.clear();
    const arrival = await this.#arrivals.take("", () => true, forMs).catch(() => undefined);
    if (arrival !== undefined) throw new Difference(`after the end of ${this.first.of}`, "nothing", "a notification");
  }
}
