import { CausewayError, type Clock, type Timer, toError } from "causeway/adapter";

export interface DiscoveryOptions {
  /** A method of the controller. */
  readonly call: (member: string, signature: string, body: readonly unknown[]) => Promise<void>;
  /** The controller does not scan any more and cannot be brought to it. */
  readonly lost: (reason: CausewayError) => void;
  readonly clock: Clock;
  readonly duplicateData: boolean;
}

const RESTART_MS = 1000;
/** Where nothing is heard for so long, the controller may have stopped to listen without a word. */
const SILENCE_MS = 120_000;

/** Keeps the controller scanning, and rests while a connection is being set up: many controllers cannot do both. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  #state: "idle" | "scanning" | "resting" | "ended" = "idle";
  #restart: Timer | undefined;
  #silence: Timer | undefined;
  #heardAtMs = 0;
  #beganAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** Rejects with LINK_*. */
  async begin(): Promise<void> {
    const { Variant } = await import("dbus-next");
    const filter = {
      Transport: new Variant("s", "le"),
      DuplicateData: new Variant("b", this.#options.duplicateData),
    };
    await this.#options.call("SetDiscoveryFilter", "a{sv}", [filter]);
    await this.#start();
    this.#beganAtMs = this.#options.clock.monotonicMs();
  }

  /** Monotonic time of the beginning. */
  get beganAtMs(): number {
    return this.#beganAtMs;
  }

  /** Scans again when the work is done, however it ends. */
  async rest<T>(work: () => Promise<T>): Promise<T> {
    if (this.#state !== "scanning") return await work();
    this.#state = "resting";
    try {
      // It may have ended by itself; the work shows whether anything is wrong.
      await this.#options.call("StopDiscovery", "", []).catch(() => undefined);
      return await work();
    } finally {
      if (this.#isResting()) await this.#start().catch((error: unknown) => this.#options.lost(failure(error)));
    }
  }

  /** Whether a device that advertises is heard of each time. */
  get tellsAll(): boolean {
    return this.#options.duplicateData;
  }

  heard(): void {
    this.#heardAtMs = this.#options.clock.monotonicMs();
  }

  /** The controller says that it scans no more. */
  stopped(): void {
    if (this.#state === "scanning") this.#startLater();
  }

  async end(): Promise<void> {
    const isScanning = this.#state === "scanning";
    this.abandon();
    if (isScanning) await this.#options.call("StopDiscovery", "", []).catch(() => undefined);
  }

  /** The controller is gone: nothing is said to it any more. */
  abandon(): void {
    this.#state = "ended";
    this.#restart?.cancel();
    this.#silence?.cancel();
  }

  #isResting(): boolean {
    return this.#state === "resting";
  }

  async #start(): Promise<void> {
    await this.#options.call("StartDiscovery", "", []).catch((error: unknown) => {
      // Scanning for this connection to D-Bus is under way: that is what was asked for.
      if (!isInProgress(error)) throw error;
    });
    if (this.#state === "ended") return;
    this.#state = "scanning";
    this.heard();
    this.#watchSilence(SILENCE_MS);
  }

  #startLater(): void {
    this.#restart?.cancel();
    this.#restart = this.#options.clock.schedule(RESTART_MS, () => {
      if (this.#state !== "scanning") return;
      this.#start().catch((error: unknown) => this.#options.lost(failure(error)));
    });
  }

  #watchSilence(delayMs: number): void {
    this.#silence?.cancel();
    this.#silence = this.#options.clock.schedule(delayMs, () => {
      if (this.#state === "ended") return;
      const silentMs = this.#options.clock.monotonicMs() - this.#heardAtMs;
      if (silentMs < SILENCE_MS) this.#watchSilence(SILENCE_MS - silentMs);
      else void this.rest(async () => undefined).finally(() => this.#watchSilence(SILENCE_MS));
    });
  }
}

function isInProgress(error: unknown): boolean {
  return error instanceof CausewayError && error.facts["dbus"] === "org.bluez.Error.InProgress";
}

function failure(error: unknown): CausewayError {
  if (error instanceof CausewayError && error.code !== "FIELD_TIMEOUT") return error;
  return new CausewayError("LINK_FAILED", `the controller does not scan: ${toError(error).message}`, { cause: error });
}
