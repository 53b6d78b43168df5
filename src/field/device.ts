import { abortable, type Clock, sleep, type Timer } from "../base/clock.js";
import { CausewayError, type ErrorCode, toError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import type { Scope } from "../base/scope.js";
import type { Exchange, Point, Station } from "./adapter.js";
import type { AnyLink, Bus } from "./bus.js";
import { ExchangeList, type Pace, type PlannedExchange } from "./exchanges.js";
import { type Health, type HealthState, initialHealth, nextHealth } from "./health.js";
import { NO_BOUNDS, type PollBounds, type PollPeriods, paceOf } from "./poll-period.js";
import { type Poller, phaseOf } from "./poller.js";
import type { Priority } from "./queue.js";
import { type FaultQuality, type Reading, type Scalar, sameScalar } from "./reading.js";
import { SpokenConfirmation } from "./spoken-confirmation.js";
import { StationWatch } from "./station-watch.js";

export interface DeviceStatus {
  readonly name: string;
  readonly link: string;
  readonly health: HealthState;
  /** Wall clock since when the health holds. */
  readonly sinceMs: number;
  /** Wall clock of the last answer; absent before the first. */
  readonly lastAnswerMs?: number;
  /** The last reading of each point, by name; points not yet read are not there. */
  readonly readings: ReadonlyMap<string, Reading>;
  /** Poll slots that were left out because the one before was still waiting for the bus. */
  readonly skippedSlots: number;
  /** Points that the device refuses. */
  readonly unsupported: readonly string[];
}

export interface DeviceOptions {
  readonly name: string;
  readonly link: string;
  readonly station: Station<unknown>;
  readonly points: readonly Point<unknown>[];
  readonly poll: PollPeriods;
  /** Of a device that only speaks on its own. */
  readonly silenceMs?: number;
  readonly plan: (points: readonly Point<unknown>[]) => readonly Exchange<unknown>[];
  readonly fit: (point: Point<unknown>, value: Scalar) => Scalar;
  readonly bus: Bus;
  readonly poller: Poller;
  readonly clock: Clock;
  readonly log: Log;
  readonly onReadings: (readings: readonly Reading[]) => void;
  readonly onHealth?: (health: HealthState) => void;
}

/** A write that has not begun after so long is not carried out any more. */
const WRITE_TTL_MS = 10_000;
/** Devices that take a value over late are asked once more. */
const SECOND_READ_BACK_MS = 250;
/** A station that cannot be asked tells of a new value within this, if its profile does not say. */
const SPOKEN_CONFIRMATION_MS = 5000;
const REFUSED_PAUSE_MS = 3_600_000;
/** After a connect the devices begin within this window, each at its own place in it. */
const START_WINDOW_MS = 2000;

const CODE_OF_QUALITY: Partial<Record<FaultQuality, ErrorCode>> = {
  timeout: "FIELD_TIMEOUT",
  crc: "FIELD_GARBLED",
  exception: "FIELD_EXCEPTION",
};

/** One station on a bus: polls its points, carries writes out and knows whether it is there. */
export class Device {
  readonly #options: DeviceOptions;
  readonly #scope: Scope;
  readonly #points: ReadonlyMap<string, Point<unknown>>;
  readonly #exchanges: ExchangeList;
  readonly #watch: StationWatch;
  readonly #slots = new Map<Pace, Disposable>();
  readonly #readings = new Map<string, Reading>();
  readonly #confirmations = new Set<SpokenConfirmation>();
  #bounds: ReadonlyMap<string, PollBounds> = new Map();
  #health: Health;
  #healthSinceMs: number;
  #lastAnswerMs: number | undefined;
  #skippedSlots = 0;
  #startTimer: Timer | undefined;
  #probeTimer: Timer | undefined;

  constructor(options: DeviceOptions, scope: Scope) {
    this.#options = options;
    this.#scope = scope;
    this.#points = new Map(options.points.map((point) => [point.name, point]));
    this.#exchanges = new ExchangeList(options.points, (point) => this.#paceOf(point), options.plan);
    this.#watch = this.#stationWatch();
    this.#health = initialHealth(options.clock.monotonicMs());
    this.#healthSinceMs = options.clock.nowMs();
    this.#schedulePolls();
    const onOpened = options.bus.onOpened((link, signal) => this.#onOpened(link, signal));
    scope.defer(() => {
      onOpened[Symbol.dispose]();
      for (const slot of this.#slots.values()) slot[Symbol.dispose]();
      this.#startTimer?.cancel();
      this.#probeTimer?.cancel();
    });
  }

  /** By point, in the place of those before; points that are not named keep the period of their class. */
  setBounds(bounds: ReadonlyMap<string, PollBounds>): void {
    this.#bounds = bounds;
    this.#exchanges.regroup((point) => this.#paceOf(point));
    this.#schedulePolls();
  }

  /** Returns when the device has confirmed; see Field.write. */
  async write(pointName: string, value: Scalar, signal: AbortSignal): Promise<void> {
    const { name, station, bus } = this.#options;
    const point = this.#points.get(pointName);
    if (point === undefined || point.access === "r") {
      throw new CausewayError("FIELD_NOT_WRITABLE", `${name}.${pointName} cannot be written`);
    }
    const wanted = this.#options.fit(point, value);
    if (!this.#isPolled(point)) return await this.#writeUnasked(point, wanted, signal);
    try {
      await bus.write(station, point, wanted, WRITE_TTL_MS, signal);
    } catch (error) {
      if (error instanceof CausewayError && error.code === "FIELD_TIMEOUT") this.#notice("failure");
      throw error;
    }
    this.#notice("answer");
    if (point.access === "rw") await this.#confirm(point, wanted, signal);
  }

  /** An acknowledgement is then not the station's own, but that of who passes it on. */
  async #writeUnasked(point: Point<unknown>, wanted: Scalar, signal: AbortSignal): Promise<void> {
    const { name, station, bus, clock } = this.#options;
    const confirmation = new SpokenConfirmation(point, wanted);
    this.#confirmations.add(confirmation);
    try {
      await bus.write(station, point, wanted, WRITE_TTL_MS, signal);
      if (point.access !== "rw") return;
      const { responseTimeoutMs = SPOKEN_CONFIRMATION_MS } = station.traits;
      await confirmation.wait(name, responseTimeoutMs, clock, signal);
    } finally {
      this.#confirmations.delete(confirmation);
    }
  }

  /** Whether it is asked for; the others are learned by what the station says on its own. */
  #isPolled(point: Point<unknown>): boolean {
    const { all } = this.#exchanges;
    return point.access === "w" ? all.length > 0 : all.some(({ points }) => points.includes(point));
  }

  /** Reads every readable point once, now; points that only speak on their own give what they said last. */
  async read(signal: AbortSignal): Promise<readonly Reading[]> {
    const all = Promise.all(this.#exchanges.all.map((planned) => this.#exchange(planned, "fast")));
    const readings = (await abortable(all, signal)).flat();
    const read = new Set(readings.map((reading) => reading.point));
    const others = [...this.#points.values()].filter((point) => point.access !== "w" && !read.has(point.name));
    return [...readings, ...others.map((point) => this.#readings.get(point.name) ?? this.#neverRead(point.name))];
  }

  status(): DeviceStatus {
    const { name, link } = this.#options;
    return {
      name,
      link,
      health: this.#health.state,
      sinceMs: this.#healthSinceMs,
      ...(this.#lastAnswerMs === undefined ? {} : { lastAnswerMs: this.#lastAnswerMs }),
      readings: new Map(this.#readings),
      skippedSlots: this.#skippedSlots,
      unsupported: [...this.#readings.values()].filter((r) => r.quality === "unsupported").map((r) => r.point),
    };
  }

  #paceOf({ name, pollClass }: Point<unknown>): Pace {
    return paceOf(pollClass, this.#options.poll, this.#bounds.get(name) ?? NO_BOUNDS);
  }

  #schedulePolls(): void {
    const { name, poll, poller } = this.#options;
    const { paces } = this.#exchanges;
    for (const [pace, slot] of this.#slots) {
      if (paces.has(pace)) continue;
      slot[Symbol.dispose]();
      this.#slots.delete(pace);
    }
    for (const pace of paces) {
      // What is read once may have failed so far.
      const periodMs = pace === "once" ? poll.normalMs : pace;
      if (!this.#slots.has(pace))
        this.#slots.set(
          pace,
          poller.every(periodMs, `${name}/${pace}`, () => this.#poll(pace)),
        );
    }
  }

  #poll(pace: Pace): void {
    if (this.#health.state === "offline") return;
    const nowMs = this.#options.clock.monotonicMs();
    for (const planned of this.#exchanges.all) {
      if (planned.pace !== pace || planned.done || planned.refusedUntilMs > nowMs) continue;
      if (planned.pending) this.#skippedSlots++;
      else this.#spawn(this.#exchange(planned, planned.priority));
    }
  }

  #pollAll(): void {
    for (const pace of this.#exchanges.paces) this.#poll(pace);
  }

  #stationWatch(): StationWatch {
    const { station, silenceMs, clock, log } = this.#options;
    return new StationWatch({
      station,
      points: [...this.#points.values()].filter((point) => point.access !== "w"),
      // A device that is also polled is known by its answers.
      ...(silenceMs === undefined || this.#exchanges.all.length > 0 ? {} : { silenceMs }),
      clock,
      log,
      onReadings: (readings) => this.#accept(readings),
      onFailure: () => this.#notice("failure"),
      onGone: (reason) => this.#notice("gone", reason),
    });
  }

  #onOpened(link: AnyLink, signal: AbortSignal): void {
    this.#exchanges.renew();
    this.#startTimer?.cancel();
    const delayMs = phaseOf(this.#options.name) * START_WINDOW_MS;
    this.#startTimer = this.#options.clock.schedule(delayMs, () => {
      if (this.#health.state === "offline") this.#spawn(this.#probe());
      else this.#pollAll();
    });
    if (link.watch === undefined) return;
    signal.addEventListener("abort", () => this.#loseSight(toError(signal.reason)), { once: true });
    this.#spawn(this.#watch.run(link, signal));
  }

  /** What is not polled is not missed by a poll when the link is down. */
  #loseSight(reason: Error): void {
    const polled = new Set(this.#exchanges.all.flatMap(({ points }) => points.map(({ name }) => name)));
    this.#unreached(
      [...this.#points.values()].filter(({ name, access }) => access !== "w" && !polled.has(name)),
      reason,
    );
  }

  /** Carries out one planned exchange; one that is refused as a whole is split, at once and for later. */
  async #exchange(planned: PlannedExchange, priority: Priority): Promise<readonly Reading[]> {
    planned.pending = true;
    let readings: readonly Reading[];
    try {
      readings = await this.#options.bus.read(this.#options.station, planned.points, priority);
    } catch (error) {
      return this.#unreached(planned.points, toError(error));
    } finally {
      planned.pending = false;
    }
    const refused = readings.length > 0 && readings.every((reading) => reading.quality === "unsupported");
    if (refused && planned.points.length > 1) {
      this.#notice("answer");
      const halves = this.#exchanges.split(planned);
      return (await Promise.all(halves.map((half) => this.#exchange(half, priority)))).flat();
    }
    planned.done = planned.pace === "once" && !isSilence(readings);
    planned.refusedUntilMs = refused ? this.#options.clock.monotonicMs() + REFUSED_PAUSE_MS : 0;
    this.#accept(readings);
    return readings;
  }

  #accept(readings: readonly Reading[]): void {
    for (const reading of readings) this.#remember(reading);
    for (const confirmation of this.#confirmations) confirmation.hear(readings);
    this.#notice(isSilence(readings) ? "failure" : "answer");
    this.#options.onReadings(readings);
  }

  #remember(reading: Reading): void {
    if (reading.quality === "unsupported" && this.#readings.get(reading.point)?.quality !== "unsupported") {
      const { log, name } = this.#options;
      log.warn("device refuses a point", { device: name, point: reading.point, reason: reading.reason });
    }
    this.#readings.set(reading.point, reading);
  }

  /** The link is down, which is not the device's fault; told once, not at every slot. */
  #unreached(points: readonly Point<unknown>[], error: Error): readonly Reading[] {
    const atMs = this.#options.clock.nowMs();
    const readings = points.map((point): Reading => {
      const last = this.#readings.get(point.name);
      const quality = last === undefined || last.quality === "never-read" ? "never-read" : "stale";
      return { point: point.name, atMs, quality, reason: error.message };
    });
    this.#tellChanges(readings);
    return readings;
  }

  #tellChanges(readings: readonly Reading[]): void {
    const changed = readings.filter((reading) => this.#readings.get(reading.point)?.quality !== reading.quality);
    for (const reading of changed) this.#readings.set(reading.point, reading);
    if (changed.length > 0 && !this.#scope.signal.aborted) this.#options.onReadings(changed);
  }

  #notice(event: "answer" | "failure" | "gone", reason = "device offline"): void {
    const { clock, log, name, link } = this.#options;
    const before = this.#health;
    const nowMs = clock.monotonicMs();
    this.#health = nextHealth(before, event, nowMs);
    if (event === "answer") this.#lastAnswerMs = clock.nowMs();
    if (this.#health.state === before.state) return;
    this.#healthSinceMs = clock.nowMs();
    this.#options.onHealth?.(this.#health.state);
    if (this.#health.state === "offline") {
      const silentMs = Math.round(nowMs - before.answeredAtMs);
      log.warn("device offline", { device: name, link, reason, failures: this.#health.failures, silentMs });
      this.#goOffline(reason);
      return;
    }
    const offlineMs = before.state === "offline" ? { offlineMs: Math.round(nowMs - before.sinceMs) } : {};
    log.info("device online", { device: name, link, ...offlineMs });
    if (before.state === "offline") this.#comeBack();
  }

  /** Values that were good are not any more, also those of points whose next poll would be far. */
  #goOffline(reason: string): void {
    const atMs = this.#options.clock.nowMs();
    const good = [...this.#readings.values()].filter(({ quality }) => quality === "good");
    this.#tellChanges(good.map(({ point }) => ({ point, atMs, quality: "timeout", reason })));
    this.#probeLater();
  }

  #comeBack(): void {
    this.#probeTimer?.cancel();
    this.#exchanges.renew();
    this.#pollAll();
  }

  #probeLater(): void {
    this.#probeTimer?.cancel();
    // A device that only speaks on its own comes back by a word of its own.
    if (this.#exchanges.all.length === 0) return;
    this.#probeTimer = this.#options.clock.schedule(this.#health.probePauseMs, () => this.#spawn(this.#probe()));
  }

  async #probe(): Promise<void> {
    this.#probeTimer?.cancel();
    const probe = this.#exchanges.probe();
    if (probe !== undefined && !probe.pending) await this.#exchange(probe, "probe");
    if (this.#health.state === "offline" && !this.#scope.signal.aborted) this.#probeLater();
  }

  async #confirm(point: Point<unknown>, wanted: Scalar, signal: AbortSignal): Promise<void> {
    const { bus, station, clock, name } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const readings = await abortable(bus.read(station, [point], "read-back"), signal);
      this.#accept(readings);
      const reading = readings[0];
      const place = `${name}.${point.name}`;
      if (reading === undefined) throw new CausewayError("FIELD_NOT_CONFIRMED", `${place} was not read back`);
      if ("reason" in reading) {
        const code = CODE_OF_QUALITY[reading.quality] ?? "FIELD_NOT_CONFIRMED";
        throw new CausewayError(code, `${place} was written but cannot be read back: ${reading.reason}`);
      }
      if (sameScalar(reading.value, wanted)) return;
      if (attempt > 0) {
        const facts = { wanted: String(wanted), found: String(reading.value) };
        throw new CausewayError("FIELD_NOT_CONFIRMED", `${place} took ${facts.found}, not ${facts.wanted}`, { facts });
      }
      await sleep(clock, SECOND_READ_BACK_MS, signal);
    }
  }

  #neverRead(point: string): Reading {
    return { point, atMs: this.#options.clock.nowMs(), quality: "never-read", reason: "nothing has come yet" };
  }

  #spawn(work: Promise<unknown>): void {
    this.#scope.spawn(async () => void (await work));
  }
}

function isSilence(readings: readonly Reading[]): boolean {
  return readings.every(({ quality }) => quality === "timeout" || quality === "crc" || quality === "stale");
}
