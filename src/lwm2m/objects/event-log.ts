import type { Clock, Timer } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import type { LogEvent } from "../../base/log.js";
import type { Entry } from "../codec/codec.js";
import type { ModelRegistry } from "../model/model.js";
import { parseArguments } from "../operation/arguments.js";
import type { ObjectTree, WrittenValue } from "../tree.js";
import { EVENT_FORMATS, EventLines, lineOf } from "./event-lines.js";
import { IncrementalLog } from "./incremental-log.js";
import { requireModel } from "./require-model.js";

const EVENT_LOG = 20;
const Id = {
  logClass: 4010,
  start: 4011,
  stop: 4012,
  status: 4013,
  data: 4014,
  format: 4015,
  incremental: 4016,
  minimumInterval: 4017,
} as const;
const Status = { stopped: 1, validData: 2, incremental: 8 } as const;

/**
 * The newest 16 KiB of what the gateway has logged at info or above, shown as object 20 (OMA LwM2M Event Log 2.1). It
 * collects from the start until LogStop; what servers want by Send goes to all of them together.
 */
export class EventLog implements Disposable {
  readonly #clock: Clock;
  readonly #lines = new EventLines();
  readonly #incremental: IncrementalLog;
  #state: "running" | "stopped" = "running";
  #format = 0;
  #timer: Timer | undefined;
  #tree: ObjectTree | undefined;

  /** `send` delivers to the servers; it rejects when it could not, and is tried again later. */
  constructor(clock: Clock, send: (entries: readonly Entry[]) => Promise<void>) {
    this.#clock = clock;
    this.#incremental = new IncrementalLog(clock, async (lines) => {
      const atMs = clock.nowMs();
      const value = lines.encode(this.#format, [EVENT_LOG, 0, Id.incremental], atMs);
      await send([{ path: [EVENT_LOG, 0, Id.incremental], type: "opaque", value, atMs }]);
    });
  }

  append(event: LogEvent): void {
    const line = lineOf(event, this.#clock.nowMs());
    this.#incremental.add(line);
    if (this.#state === "stopped") return;
    this.#lines.add(line);
    this.#touch(Id.data);
  }

  /** Throws LWM2M_MODEL. */
  addTo(tree: ObjectTree, models: ModelRegistry): void {
    tree.addInstance(
      requireModel(models, EVENT_LOG),
      0,
      new Map([
        [Id.start, { execute: async (args: string) => this.#start(args) }],
        [Id.stop, { execute: async (args: string) => this.#stop(args) }],
        [Id.status, { read: () => this.#status() }],
        [Id.data, { read: () => this.#lines.encode(this.#format, [EVENT_LOG, 0, Id.data], this.#clock.nowMs()) }],
        [Id.format, { read: () => this.#format, write: async (value: WrittenValue) => this.#setFormat(value) }],
        [Id.incremental, {}],
        [
          Id.minimumInterval,
          { read: () => this.#incremental.intervalS, write: async (value: WrittenValue) => this.#setInterval(value) },
        ],
      ]),
    );
    tree.set([EVENT_LOG, 0, Id.logClass], { value: 0, atMs: this.#clock.nowMs() });
    this.#tree = tree;
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#incremental[Symbol.dispose]();
  }

  /** Argument 0: 1 goes on with what there is, otherwise it is emptied. Argument 1: seconds until it stops, 0 for never. */
  #start(args: string): void {
    const given = parseArguments(args);
    const mode = bitOf(given.get(0));
    const period = given.get(1) ?? "";
    if (!/^\d{0,9}$/.test(period)) throw bad(`'${period}' is no period in seconds`);
    if (mode === 0) this.#empty();
    this.#timer?.cancel();
    const periodMs = Number(period) * 1000;
    this.#timer = periodMs === 0 ? undefined : this.#clock.schedule(periodMs, () => this.#halt());
    this.#state = "running";
    this.#touch(Id.status);
  }

  /** Argument 0: 1 empties it. */
  #stop(args: string): void {
    if (bitOf(parseArguments(args).get(0)) === 1) this.#empty();
    this.#halt();
  }

  #halt(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#state = "stopped";
    this.#touch(Id.status);
  }

  #empty(): void {
    this.#lines.clear();
    this.#touch(Id.data);
  }

  #status(): number {
    const { intervalS } = this.#incremental;
    return (
      (this.#state === "stopped" ? Status.stopped : 0) |
      (this.#lines.all.length > 0 ? Status.validData : 0) |
      (intervalS > 0 ? Status.incremental : 0)
    );
  }

  #setFormat(value: WrittenValue): void {
    if (typeof value !== "number" || value < 0 || value >= EVENT_FORMATS.length) {
      throw new CausewayError("VALUE_INVALID", `/${EVENT_LOG}/0/${Id.format} takes 0 to ${EVENT_FORMATS.length - 1}`);
    }
    this.#format = value;
    this.#touch(Id.format);
    this.#touch(Id.data);
  }

  #setInterval(value: WrittenValue): void {
    if (typeof value !== "number") throw new CausewayError("VALUE_INVALID", "the interval is too long");
    this.#incremental.setInterval(value);
    this.#touch(Id.minimumInterval);
    this.#touch(Id.status);
  }

  #touch(resourceId: number): void {
    this.#tree?.touch([EVENT_LOG, 0, resourceId], this.#clock.nowMs());
  }
}

function bitOf(argument: string | undefined): 0 | 1 {
  if (argument === undefined || argument === "" || argument === "0") return 0;
  if (argument === "1") return 1;
  throw bad(`argument 0 is 0 or 1, not '${argument}'`);
}

function bad(what: string): CausewayError {
  return new CausewayError("LWM2M_BAD_REQUEST", what);
}
