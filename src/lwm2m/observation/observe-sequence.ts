import type { ClientState } from "../state/client-state.js";

/** Each block costs a document; what is left of one when the power fails is never used. */
const BLOCK = 4096;
const MODULUS = 0x100_0000;

/**
 * Numbers notifications (RFC 7641 §3.4), 24 bit. Kept over restarts: exactly after `close`; after a crash it goes on
 * behind the block that was begun, so no number comes twice as long as the state is committed between the constructor
 * and the first number. Section `observations`, key `ID`.
 */
export class ObserveSequence {
  readonly #state: ClientState | undefined;
  readonly #key: string;
  #last: number;
  /** How many numbers of the block are left. */
  #left = 0;

  /** Without a state it begins anew each time. */
  constructor(state?: ClientState, shortServerId = 0) {
    this.#state = state;
    this.#key = String(shortServerId);
    const kept = state?.load("observations").get(this.#key);
    this.#last = typeof kept === "number" && Number.isInteger(kept) && kept >= 0 ? kept % MODULUS : 0;
    this.#reserve();
  }

  next(): number {
    // Well before the end, so that it is on disk when it is needed.
    if (this.#left < BLOCK / 2) this.#reserve();
    this.#left--;
    this.#last = (this.#last + 1) % MODULUS;
    return this.#last;
  }

  close(): void {
    this.#left = 0;
    this.#state?.put("observations", this.#key, this.#last);
  }

  #reserve(): void {
    this.#left = BLOCK;
    this.#state?.put("observations", this.#key, (this.#last + BLOCK) % MODULUS);
  }
}
