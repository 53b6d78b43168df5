import { setMaxListeners } from "node:events";
import { abortable, type Clock, sleep, type Timer } from "../base/clock.js";
import { CausewayError, ERROR_TABLE, type ErrorCode, toError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import { type BackOff, backOffMs } from "../base/retry.js";
import type { Scope } from "../base/scope.js";
import { subscribe } from "../base/subscribe.js";
import type { Link, Point, Station, TracedFrame } from "./adapter.js";
import { BusMeter } from "./bus-meter.js";
import { JobQueue, type Priority, type Queued } from "./queue.js";
import type { Quality, Reading, Scalar } from "./reading.js";

export type AnyLink = Link<unknown, unknown>;

export interface BusStatus {
  /** The adapter's key of the medium, e.g. the path of the serial port. */
  readonly medium: string;
  /** Names of the configured links that share the medium. */
  readonly links: readonly string[];
  readonly state: "opening" | "up" | "down";
  /** Why it is down: an error code of the table, and for people. */
  readonly fault?: { readonly code: string; readonly message: string };
  /** Wall clock since when the state holds. */
  readonly sinceMs: number;
  readonly exchanges: number;
  /** Readings' qualities that were not good, counted per exchange. */
  readonly faults: Readonly<Partial<Record<Quality, number>>>;
  /** Time that exchanges took in all. */
  readonly busyMs: number;
  /** Share of the last minute in which an exchange was under way, 0 to 1. */
  readonly utilisation: number;
  readonly queued: number;
  /** How often the link was opened. */
  readonly opened: number;
  readonly trace: readonly TracedFrame[];
}

export interface BusOptions {
  readonly medium: string;
  readonly links: readonly string[];
  readonly open: (signal: AbortSignal) => Promise<AnyLink>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Whether the link of a medium is open. */
export type LinkState = "up" | "down";

export type StateListener = (state: LinkState) => void;

/** Hears of each opening of the link; the signal aborts when that link is gone. */
export type OpenedListener = (link: AnyLink, signal: AbortSignal) => void;

interface Job extends Queued {
  run(link: AnyLink, signal: AbortSignal): Promise<void>;
  fail(error: unknown): void;
}

interface Session {
  readonly link: AnyLink;
  /** Gives the link up; nothing more is begun on it. */
  readonly end: (reason: CausewayError) => void;
  readonly gone: AbortController;
  /** Monotonic. */
  readonly openedAtMs: number;
  job: Job | undefined;
}

const MAX_QUEUED = 1000;
/** No exchange takes this long; a link that keeps one so long is given up. */
const STUCK_MS = 60_000;
/** A link that held for so long did not break because it was opened. */
const SETTLED_MS = 60_000;
const BACK_OFF: BackOff = { firstMs: 500, factor: 2, maxMs: 30_000, jitter: 0.3 };
/** Looking for a port that is not there costs nothing, and people wait for it beside the machine. */
const LOCAL_BACK_OFF: BackOff = { ...BACK_OFF, maxMs: 2500 };

/**
 * The queue in front of one medium. It keeps the link open, lets one exchange at a time on it, and is shared by all
 * devices there.
 */
export class Bus {
  readonly #options: BusOptions;
  readonly #meter: BusMeter;
  readonly #queue = new JobQueue<Job>();
  readonly #listeners = new Set<OpenedListener>();
  readonly #stateListeners = new Set<StateListener>();
  #session: Session | undefined;
  #fault: CausewayError | undefined;
  #announced = "";
  #closed = false;
  #probeTimer: Timer | undefined;
  #latencyMs: number | undefined;

  constructor(options: BusOptions, scope: Scope) {
    this.#options = options;
    this.#meter = new BusMeter(options.clock);
    scope.spawn((signal) => this.#keepOpen(signal));
  }

  get medium(): string {
    return this.#options.medium;
  }

  /** What answers usually take besides their characters, as the links so far have measured it. */
  get latencyMs(): number | undefined {
    this.#latencyMs = this.#session?.link.latencyMs?.() ?? this.#latencyMs;
    return this.#latencyMs;
  }

  /** Called at each opening, now too if the link is open. */
  onOpened(listener: OpenedListener): Disposable {
    const listening = subscribe(this.#listeners, listener);
    if (this.#session !== undefined) listener(this.#session.link, this.#session.gone.signal);
    return listening;
  }

  /** Hears of each change; `down` also when the link cannot be opened at first. */
  onState(listener: StateListener): Disposable {
    return subscribe(this.#stateListeners, listener);
  }

  /** Rejects with LINK_* at once while the link is known to be down, and with FIELD_QUEUE_FULL. */
  read(station: Station<unknown>, points: readonly Point<unknown>[], priority: Priority): Promise<readonly Reading[]> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    return this.#submit(priority, async (link, signal) => {
      await this.#rest(station, signal);
      const readings = await link.read(station, points, signal);
      this.#meter.countReadings(readings);
      return readings;
    });
  }

  /**
   * Goes ahead of polls. Not begun within `ttlMs` it rejects with FIELD_WRITE_EXPIRED and is never carried out; while
   * the link is down it waits that long for it.
   */
  async write(
    station: Station<unknown>,
    point: Point<unknown>,
    value: Scalar,
    ttlMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const waiting = new AbortController();
    const expired = new CausewayError("FIELD_WRITE_EXPIRED", `${station.name}.${point.name} waited ${ttlMs} ms`);
    const timer = this.#options.clock.schedule(ttlMs, () => waiting.abort(expired));
    const onAbort = (): void => waiting.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#submit(
        "write",
        async (link, gone) => {
          timer.cancel();
          await abortable(this.#rest(station, gone), signal);
          await link.write(station, point, value, signal).catch((error: unknown) => {
            this.#meter.countError(error);
            throw error;
          });
          this.#meter.countReadings([]);
        },
        waiting.signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** A device that is not ready when its link is: the medium is left alone, for nobody knows what would disturb it. */
  async #rest({ traits: { afterConnectMs = 0 } }: Station<unknown>, signal: AbortSignal): Promise<void> {
    if (afterConnectMs === 0 || this.#session === undefined) return;
    const { clock } = this.#options;
    const waitMs = this.#session.openedAtMs + afterConnectMs - clock.monotonicMs();
    if (waitMs > 0) await sleep(clock, waitMs, signal);
  }

  status(): BusStatus {
    const { medium, links } = this.#options;
    const fault = this.#fault;
    return {
      medium,
      links,
      state: this.#session !== undefined ? "up" : fault === undefined ? "opening" : "down",
      ...(fault === undefined ? {} : { fault: { code: fault.code, message: fault.message } }),
      ...this.#meter.snapshot(),
      queued: this.#queue.size,
      trace: this.#session?.link.trace?.() ?? [],
    };
  }

  /** `waiting` takes the job out of the queue; once it runs, it is the work's own signal that counts. */
  #submit<T>(
    priority: Priority,
    work: (link: AnyLink, signal: AbortSignal) => Promise<T>,
    waiting?: AbortSignal,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const job: Job = {
        priority,
        queuedAtMs: this.#options.clock.monotonicMs(),
        run: (link, signal) => work(link, signal).then(resolve, reject),
        fail: reject,
      };
      if (this.#closed) return reject(new CausewayError("LINK_CLOSED", `${this.#options.medium} is closed`));
      if (this.#queue.size >= MAX_QUEUED) {
        return reject(
          new CausewayError("FIELD_QUEUE_FULL", `${MAX_QUEUED} exchanges wait for ${this.#options.medium}`),
        );
      }
      waiting?.addEventListener("abort", () => this.#queue.remove(job) && reject(waiting.reason), { once: true });
      this.#queue.push(job);
      this.#pump();
    });
  }

  #pump(): void {
    const session = this.#session;
    if (session === undefined || session.job !== undefined) return;
    const probeWaitMs = this.#meter.probeWaitMs();
    const job = this.#queue.take(probeWaitMs > 0 ? "no-probes" : "probes");
    if (job !== undefined) void this.#run(job, session);
    else if (this.#queue.size > 0) {
      this.#probeTimer ??= this.#options.clock.schedule(probeWaitMs, () => {
        this.#probeTimer = undefined;
        this.#pump();
      });
    }
  }

  async #run(job: Job, session: Session): Promise<void> {
    session.job = job;
    const { clock, medium } = this.#options;
    const stuck = clock.schedule(STUCK_MS, () =>
      session.end(new CausewayError("LINK_FAILED", `${medium}: an exchange did not end within ${STUCK_MS} ms`)),
    );
    const startedMs = clock.monotonicMs();
    await job.run(session.link, session.gone.signal);
    stuck.cancel();
    session.job = undefined;
    this.#meter.countExchange(job.priority, clock.monotonicMs() - startedMs);
    if (this.#session !== session) return;
    if (this.#meter.answered) this.#announce("up");
    const silence = this.#meter.silence();
    if (silence !== undefined) session.end(new CausewayError("FIELD_TIMEOUT", `${medium}: ${silence}`));
    this.#pump();
  }

  async #keepOpen(signal: AbortSignal): Promise<void> {
    const { clock, medium, random } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const startedMs = clock.monotonicMs();
      const reason = await this.#openAndHold(signal).catch((error: unknown) => error);
      if (signal.aborted) break;
      if (this.#meter.answered || clock.monotonicMs() - startedMs > SETTLED_MS) attempt = 0;
      this.#goDown(reason);
      const backOff = isLocal(this.#fault) ? LOCAL_BACK_OFF : BACK_OFF;
      await sleep(clock, backOffMs(backOff, attempt, random), signal).catch(() => undefined);
    }
    this.#closed = true;
    this.#probeTimer?.cancel();
    for (const job of this.#queue.takeAllBut(undefined))
      job.fail(new CausewayError("LINK_CLOSED", `${medium} is closed`));
  }

  /** Serves the queue until the link is gone; returns why. Rejects when it cannot be opened, or with the signal. */
  async #openAndHold(signal: AbortSignal): Promise<Error> {
    const link = await this.#options.open(signal);
    const gone = new AbortController();
    // Every device of the link listens to it.
    setMaxListeners(0, gone.signal);
    let giveUp: Session["end"] = () => undefined;
    const givenUp = new Promise<CausewayError>((resolve) => {
      giveUp = resolve;
    });
    const end = (reason: CausewayError): void => {
      // An exchange that got stuck on the last link may tell of it while the next one is open.
      if (this.#session === session) this.#session = undefined;
      giveUp(reason);
    };
    const openedAtMs = this.#options.clock.monotonicMs();
    const session: Session = { link, end, gone, openedAtMs, job: undefined };
    let reason = new Error(`${this.#options.medium} was closed`);
    try {
      this.#session = session;
      this.#fault = undefined;
      for (const listener of this.#stateListeners) listener("up");
      this.#meter.opened();
      if (!this.#meter.isSilent) this.#announce("up");
      for (const listener of this.#listeners) listener(link, gone.signal);
      this.#pump();
      reason = await abortable(Promise.race([link.closed, givenUp]), signal);
      return reason;
    } finally {
      this.#session = undefined;
      gone.abort(reason);
      await link[Symbol.asyncDispose]();
      // The link settles it in its own words before; this is for one that got stuck.
      session.job?.fail(new CausewayError("LINK_FAILED", `${this.#options.medium} broke down`));
    }
  }

  #goDown(reason: unknown): void {
    const { medium } = this.#options;
    const fault =
      reason instanceof CausewayError
        ? reason
        : new CausewayError("LINK_FAILED", `${medium}: ${toError(reason).message}`, { cause: reason });
    const isNews = this.#fault === undefined;
    this.#fault = fault;
    if (isNews) {
      this.#meter.closed();
      for (const listener of this.#stateListeners) listener("down");
    }
    // Writes stay until they expire: the link may be back before.
    for (const job of this.#queue.takeAllBut("write")) job.fail(fault);
    this.#announce(fault.code);
  }

  /** Logs a state once, however often it is met again. */
  #announce(state: "up" | CausewayError["code"]): void {
    if (this.#announced === state) return;
    const { log, medium } = this.#options;
    if (state === "up") log.info("field link up", { medium });
    else {
      const error = this.#fault?.message;
      log.warn("field link down", { medium, code: state, error, remedy: ERROR_TABLE[state].remedy });
    }
    this.#announced = state;
  }
}

const LOCAL_FAULTS: ReadonlySet<ErrorCode> = new Set([
  "LINK_NOT_FOUND",
  "LINK_BUSY",
  "LINK_PERMISSION",
  "LINK_NO_DBUS",
  "LINK_NO_BLUETOOTHD",
  "LINK_NO_CONTROLLER",
  "LINK_CONTROLLER_OFF",
  "LINK_BLUETOOTH_DENIED",
]);

function isLocal(fault: CausewayError | undefined): boolean {
  return fault !== undefined && LOCAL_FAULTS.has(fault.code);
}
