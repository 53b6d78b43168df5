import { abortable, type Timer } from "../base/clock.js";
import { CausewayError, toError } from "../base/errors.js";
import type { Scope } from "../base/scope.js";
import type { Point } from "./adapter.js";
import type { AnyLink } from "./bus.js";
import { type DeviceOptions, type DeviceStatus, PLAIN_TERMS } from "./device-options.js";
import { DeviceReader, isSilence } from "./device-reader.js";
import { DeviceSetup } from "./device-setup.js";
import { DeviceWriter } from "./device-writer.js";
import { ExchangeList, type Pace, type PlannedExchange } from "./exchanges.js";
import { type Health, initialHealth, nextHealth } from "./health.js";
import { LastReadings } from "./last-readings.js";
import { NO_BOUNDS, type PollBounds, paceOf } from "./poll-period.js";
import { phaseOf } from "./poller.js";
import type { Reading, Scalar } from "./reading.js";
import { StationWatch } from "./station-watch.js";

/** After a connect the devices begin within this window, each at its own place in it. */
const START_WINDOW_MS = 2000;

/** A line whose answers take so many times longer or shorter than thought is planned for anew. */
const LATENCY_CHANGE = 1.5;

const NOT_BOUND: ReadonlyMap<string, PollBounds> = new Map();
const NONE_ABSENT: ReadonlySet<string> = new Set();

/** One station on a bus: polls its points, carries writes out and knows whether it is there. */
export class Device {
  readonly #options: DeviceOptions;
  readonly #scope: Scope;
  readonly #exchanges: ExchangeList;
  readonly #slots = new Map<Pace, Disposable>();
  readonly #last: LastReadings;
  readonly #reader: DeviceReader;
  /** Where the profile says that the device is told something first. */
  readonly #setup: DeviceSetup | undefined;
  /** From the first write on. */
  #writer: DeviceWriter | undefined;
  /** From the first link on whose stations speak on their own. */
  #watch: StationWatch | undefined;
  #bounds = NOT_BOUND;
  #absent = NONE_ABSENT;
  #health: Health;
  #healthSinceMs: number;
  #lastAnswerMs: number | undefined;
  #skippedSlots = 0;
  /** What the requests were planned with. */
  #latencyMs: number | undefined;
  /** Monotonic time before which the device wants to be left alone. */
  #startTimer: Timer | undefined;
  #probeTimer: Timer | undefined;

  constructor(options: DeviceOptions, scope: Scope) {
    this.#options = options;
    this.#scope = scope;
    this.#exchanges = new ExchangeList(
      options.points,
      (point) => this.#paceOf(point),
      (points) => options.plan(points, this.#latencyMs === undefined ? {} : { latencyMs: this.#latencyMs }),
      options.refused,
    );
    const { name, clock, log } = options;
    const onChange = (readings: readonly Reading[]): void => {
      if (!scope.signal.aborted) options.onReadings(readings);
    };
    this.#last = new LastReadings({ name, clock, log, onChange });
    this.#reader = this.#deviceReader();
    this.#setup = (options.station.traits.setup ?? []).length > 0 ? this.#deviceSetup() : undefined;
    this.#health = initialHealth(options.clock.monotonicMs());
    this.#healthSinceMs = options.clock.nowMs();
    this.#schedulePolls();
    const onOpened = options.bus.onOpened((link, signal) => this.#onOpened(link, signal));
    scope.defer(() => {
      onOpened[Symbol.dispose]();
      for (const slot of this.#slots.values()) slot[Symbol.dispose]();
      this.#startTimer?.cancel();
      this.#probeTimer?.cancel();
      this.#setup?.[Symbol.dispose]();
    });
  }

  /** By point, in the place of those before; points that are not named keep the period of their class. */
  setBounds(bounds: ReadonlyMap<string, PollBounds>): void {
    this.#bounds = bounds;
    this.#exchanges.regroup((point) => this.#paceOf(point));
    this.#schedulePolls();
  }

  /** In the place of those before; what comes back is read at once. */
  setAbsent(points: ReadonlySet<string>): void {
    const before = this.#absent;
    this.#absent = points;
    this.#exchanges.regroup((point) => this.#paceOf(point));
    this.#schedulePolls();
    if (this.#health.state === "offline" || !this.#isSetUp) return;
    const isBack = ({ name }: Point<unknown>): boolean => before.has(name) && !points.has(name);
    for (const planned of this.#exchanges.all) {
      if (planned.points.some(isBack) && !planned.pending) this.#spawn(this.#reader.read(planned, planned.priority));
    }
  }

  /** Returns when the device has confirmed; see Field.write. */
  async write(pointName: string, value: Scalar, signal: AbortSignal, origin = "server"): Promise<void> {
    const { name } = this.#options;
    const point = this.#options.points.find((one) => one.name === pointName);
    if (point === undefined || point.access === "r") {
      throw new CausewayError("FIELD_NOT_WRITABLE", `${name}.${pointName} cannot be written`);
    }
    await this.#writing().write(point, value, origin, signal);
  }

  /** Whether it is asked for; the others are learned by what the station says on its own. */
  #isPolled(point: Point<unknown>): boolean {
    const { all } = this.#exchanges;
    return point.access === "w" ? all.length > 0 : all.some(({ points }) => points.includes(point));
  }

  /** Reads every readable point once, now; points that only speak on their own give what they said last. */
  async read(signal: AbortSignal): Promise<readonly Reading[]> {
    const all = Promise.all(this.#exchanges.all.map((planned) => this.#reader.read(planned, "fast")));
    const readings = (await abortable(all, signal)).flat();
    const read = new Set(readings.map((reading) => reading.point));
    const others = this.#options.points.filter(
      ({ name, access }) => access !== "w" && !read.has(name) && !this.#absent.has(name),
    );
    return [...readings, ...others.map(({ name }) => this.#last.get(name))];
  }

  /** What is repeated, as planned now. */
  get requests(): readonly Pick<PlannedExchange, "pace" | "wireMs">[] {
    return this.#exchanges.all;
  }

  status(): DeviceStatus {
    const { name, link } = this.#options;
    return {
      name,
      link,
      health: this.#health.state,
      sinceMs: this.#healthSinceMs,
      ...(this.#lastAnswerMs === undefined ? {} : { lastAnswerMs: this.#lastAnswerMs }),
      readings: this.#last.snapshot(),
      skippedSlots: this.#skippedSlots,
      unsupported: this.#last.unsupported,
    };
  }

  #paceOf({ name, pollClass }: Point<unknown>): Pace | undefined {
    if (this.#absent.has(name)) return undefined;
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
    // Before its start it rests, and then everything is polled anyway.
    if (this.#health.state === "offline" || this.#startTimer !== undefined) return;
    if (!this.#isSetUp) {
      this.#begin();
      return;
    }
    this.#adapt();
    const nowMs = this.#options.clock.monotonicMs();
    this.#exchanges.tryCuts(nowMs);
    for (const planned of this.#exchanges.all) {
      if (planned.pace !== pace || planned.done || planned.refusedUntilMs > nowMs) continue;
      if (planned.pending) this.#skippedSlots++;
      else this.#spawn(this.#reader.read(planned, planned.priority));
    }
  }

  #deviceSetup(): DeviceSetup {
    return new DeviceSetup({
      clock: this.#options.clock,
      tell: async () => await this.#writing().setUp(this.#scope.signal),
      onDone: () => this.#pollAll(),
      onSilent: () => this.#notice("failure"),
    });
  }

  get #isSetUp(): boolean {
    return this.#setup?.isDone ?? true;
  }

  /** Polls everything, after the device has been set up. */
  #begin(): void {
    if (this.#setup === undefined || this.#setup.isDone) this.#pollAll();
    else this.#spawn(this.#setup.run());
  }

  /** Plans anew when the line turns out to be slower or faster than thought. */
  #adapt(): void {
    const { latencyMs } = this.#options.bus;
    if (latencyMs === undefined) return;
    const ratio = latencyMs / (this.#latencyMs ?? latencyMs * 2 * LATENCY_CHANGE);
    if (ratio < LATENCY_CHANGE && ratio > 1 / LATENCY_CHANGE) return;
    this.#latencyMs = latencyMs;
    this.#exchanges.replan();
  }

  #deviceReader(): DeviceReader {
    const { station, bus, clock, retries = 0, onRefused = () => undefined } = this.#options;
    return new DeviceReader({
      station,
      exchanges: this.#exchanges,
      bus,
      clock,
      retries,
      isThere: () => this.#health.state === "online" && this.#health.failures === 0,
      onReadings: (readings) => this.#accept(readings),
      onAnswer: () => this.#notice("answer"),
      onUnreached: (points, error) => this.#last.unreached(points, error),
      onRefused,
    });
  }

  #writing(): DeviceWriter {
    const { name, station, bus, clock, log, fit, terms = () => PLAIN_TERMS } = this.#options;
    this.#writer ??= new DeviceWriter({
      name,
      station,
      bus,
      clock,
      log,
      fit,
      terms,
      isPolled: (point) => this.#isPolled(point),
      onReadings: (readings) => this.#accept(readings),
      onOutcome: (outcome) => this.#notice(outcome),
    });
    return this.#writer;
  }

  #renew(): void {
    this.#exchanges.renew();
    this.#setup?.renew();
  }

  #pollAll(): void {
    for (const pace of this.#exchanges.paces) this.#poll(pace);
  }

  #stationWatch(): StationWatch {
    const { station, silenceMs, clock, log } = this.#options;
    return new StationWatch({
      station,
      points: this.#options.points.filter((point) => point.access !== "w"),
      // A device that is also polled is known by its answers.
      ...(silenceMs === undefined || this.#exchanges.all.length > 0 ? {} : { silenceMs }),
      clock,
      log,
      onReadings: (readings) => this.#accept(readings),
      onKept: (readings) => {
        this.#last.remember(readings);
        this.#options.onReadings(readings);
      },
      onFailure: () => this.#notice("failure"),
      onGone: (reason) => this.#notice("gone", reason),
    });
  }

  #onOpened(link: AnyLink, signal: AbortSignal): void {
    this.#renew();
    this.#startTimer?.cancel();
    const { name, station, clock } = this.#options;
    const { afterConnectMs = 0 } = station.traits;
    const delayMs = Math.max(phaseOf(name) * START_WINDOW_MS, afterConnectMs);
    this.#startTimer = clock.schedule(delayMs, () => {
      this.#startTimer = undefined;
      if (this.#health.state === "offline") this.#spawn(this.#probe());
      else this.#begin();
    });
    if (link.watch === undefined) return;
    signal.addEventListener("abort", () => this.#loseSight(toError(signal.reason)), { once: true });
    this.#watch ??= this.#stationWatch();
    this.#spawn(this.#watch.run(link, signal));
  }

  /** What is not polled is not missed by a poll when the link is down. */
  #loseSight(reason: Error): void {
    const polled = new Set(this.#exchanges.all.flatMap(({ points }) => points.map(({ name }) => name)));
    this.#last.unreached(
      this.#options.points.filter(({ name, access }) => access !== "w" && !polled.has(name)),
      reason,
    );
  }

  #accept(readings: readonly Reading[]): void {
    const isAnswer = !isSilence(readings);
    if (isAnswer) this.#notice("answer");
    // Before it is set up its values may mean something else.
    if (isAnswer && !this.#isSetUp) return;
    this.#last.remember(readings);
    this.#writer?.hear(readings);
    if (!isAnswer) this.#notice("failure");
    this.#options.onReadings(readings);
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

  #goOffline(reason: string): void {
    this.#last.expire(reason);
    this.#probeLater();
  }

  #comeBack(): void {
    this.#probeTimer?.cancel();
    this.#renew();
    this.#begin();
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
    if (probe !== undefined && !probe.pending) await this.#reader.read(probe, "probe");
    if (this.#health.state === "offline" && !this.#scope.signal.aborted) this.#probeLater();
  }

  #spawn(work: Promise<unknown>): void {
    this.#scope.spawn(async () => void (await work));
  }
}
