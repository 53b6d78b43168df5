/** A packet that comes again after so long is what the device still says; before, it is the same word repeated. */
const REPEAT_MS = 60_000;
/** A device begins at 0 again when its battery was changed. */
const RESTART_BELOW = 100;
/** One packet that fails may be a stranger's; two in a row are not. */
const FAILURES_TO_DOUBT = 2;

interface Heard {
  readonly sequence: number;
  readonly atMs: number;
}

/**
 * What must be known of a station's earlier packets to judge the next one; it outlives connections. `source` names the
 * kind of packet, of which a station has a few.
 */
export class PacketMemory {
  readonly #heard = new Map<string, Heard>();
  readonly #counters = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  #complaint = "";

  /** Whether the packet was heard already; notes it otherwise. */
  isRepeat(source: string, sequence: number, nowMs: number): boolean {
    const last = this.#heard.get(source);
    if (last?.sequence === sequence && nowMs - last.atMs < REPEAT_MS) return true;
    this.#heard.set(source, { sequence, atMs: nowMs });
    return false;
  }

  /** Of a packet that was decrypted: `replay` when its counter shows that it was recorded and sent again. */
  judge(source: string, counter: number, nowMs: number): "new" | "repeat" | "replay" {
    const last = this.#counters.get(source);
    if (last !== undefined && counter < last && counter >= RESTART_BELOW) return "replay";
    this.#counters.set(source, counter);
    return this.isRepeat(`counter of ${source}`, counter, nowMs) ? "repeat" : "new";
  }

  /** Values were lost with a connection: a packet may be heard once more. What is a replay remains one. */
  renew(): void {
    this.#heard.clear();
  }

  /** Notes a packet that the key did not open; whether that is the station's trouble rather than a stranger's packet. */
  isDoubtful(source: string): boolean {
    const known = this.#failures.get(source);
    const failures = (known ?? FAILURES_TO_DOUBT - 1) + 1;
    this.#failures.set(source, Math.min(failures, FAILURES_TO_DOUBT));
    return failures >= FAILURES_TO_DOUBT;
  }

  noteOpened(source: string): void {
    this.#failures.set(source, 0);
  }

  /** Whether this was not the last thing there was to complain about. */
  isNewComplaint(complaint: string): boolean {
    const isNew = this.#complaint !== complaint;
    this.#complaint = complaint;
    return isNew;
  }
}
