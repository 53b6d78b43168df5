import type { ClientState } from "./client-state.js";

/** Each block costs a document; what is left of one when the power fails is never used. */
const BLOCK = 4096;
const MODULUS = 0x100_0000;

/**
 * Numbers notifications (RFC 7641 §3.4), 24 bit. Kept over restarts: exactly after `close`; after a crash it goes on
 * behind the block that was begun, so no number comes twice. Section `observations`, key `ID`.
 */
export class ObserveSequence {
  readonly #state: ClientState | undefined;
  readonly #key: string;
  #last: number;
  #reserved: number;

  /** Without a state it begins anew each time. */
  constructor(state?: ClientState, shortServerId = 0) {
    this.#state = state;
    this.#key = String(shortServerId);
    const kept = state?.load("observations").get(this.#key);
    this.#last = typeof kept === "number" && Number.isInteger(kept) && kept >= 0 ? kept % MODULUS : 0;
    this.#reserved = this.#last;
  }

  next(): number {
    if (this.#last === this.#reserved) {
      this.#reserved = (this.#last + BLOCK) % MODULUS;
      this.#state?.put("observations", this.#key, this.#reserved);
    }
    this.#last = (this.#last + 1) % MODULUS;
    return this.#last;
  }

  close(): void {
    if (this.#reserved === this.#last) return;
    this.#reserved = this.#last;
    this.#state?.put("observations", this.#key, this.#last);
  }
}
