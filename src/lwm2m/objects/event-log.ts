import { NO_BYTES, utf8Encode } from "../../base/bytes.js";
import type { Clock, Timer } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import type { LogEvent } from "../../base/log.js";
import { parseArguments } from "../arguments.js";
import { ContentFormat, codecOf } from "../codec/formats.js";
import type { ModelRegistry } from "../model.js";
import type { ObjectTree } from "../tree.js";
import { requireModel } from "./require-model.js";

const EVENT_LOG = 20;
const Id = { logClass: 4010, start: 4011, stop: 4012, status: 4013, data: 4014, format: 4015 } as const;
const Status = { stopped: 1, validData: 2 } as const;
const MAX_BYTES = 16_384;
/** LogDataFormat: lines of text, or the lines as resource instances in TLV, JSON or LwM2M CBOR. */
const FORMATS: readonly (number | undefined)[] = [
  undefined,
  ContentFormat.tlv,
  ContentFormat.json,
  ContentFormat.lwm2mCbor,
];

interface Line {
  readonly text: string;
  readonly bytes: number;
  readonly atMs: number;
}

/**
 * The newest 16 KiB of what the gateway has logged at info or above, shown as object 20 (OMA LwM2M Event Log 2.1, without
 * the incremental part). It collects from the start until LogStop.
 */
export class EventLog implements Disposable {
  readonly #clock: Clock;
  readonly #lines: Line[] = [];
  #bytes = 0;
  #state: "running" | "stopped" = "running";
  #format = 0;
  #timer: Timer | undefined;
  #tree: ObjectTree | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  append({ level, message, facts }: LogEvent): void {
    if (this.#state === "stopped") return;
    const atMs = this.#clock.nowMs();
    const more = facts === "" ? "" : ` ${facts}`;
    const text = `${new Date(atMs).toISOString()} ${level} ${message}${more}`.slice(0, MAX_BYTES / 8);
    const bytes = Buffer.byteLength(text) + 1;
    this.#lines.push({ text, bytes, atMs });
    this.#bytes += bytes;
    while (this.#bytes > MAX_BYTES) this.#bytes -= this.#lines.shift()?.bytes ?? 0;
    this.#touch(Id.data);
  }

  /** Throws LWM2M_MODEL. */
  addTo(tree: ObjectTree, models: ModelRegistry): void {
    const model = requireModel(models, EVENT_LOG);
    tree.addInstance(
      model,
      0,
      new Map([
        [Id.start, { execute: async (args: string) => this.#start(args) }],
        [Id.stop, { execute: async (args: string) => this.#stop(args) }],
        [Id.status, { read: () => this.#status() }],
        [Id.data, { read: () => this.#data() }],
        [Id.format, { read: () => this.#format, write: async (value: unknown) => this.#setFormat(value) }],
      ]),
    );
    tree.set([EVENT_LOG, 0, Id.logClass], { value: 0, atMs: this.#clock.nowMs() });
    this.#tree = tree;
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
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
    this.#lines.length = 0;
    this.#bytes = 0;
    this.#touch(Id.data);
  }

  #status(): number {
    return (this.#state === "stopped" ? Status.stopped : 0) | (this.#lines.length > 0 ? Status.validData : 0);
  }

  #data(): Uint8Array {
    const codec = codecOf(FORMATS[this.#format] ?? -1);
    if (codec === undefined) return utf8Encode(this.#lines.map(({ text }) => `${text}\n`).join(""));
    if (this.#lines.length === 0) return NO_BYTES;
    const entries = this.#lines.map(({ text, atMs }, index) => ({
      path: [EVENT_LOG, 0, Id.data, index],
      type: "string" as const,
      value: text,
      atMs,
    }));
    return codec.encode(entries, { target: [EVENT_LOG, 0, Id.data], nowMs: this.#clock.nowMs(), times: "all" });
  }

  #setFormat(value: unknown): void {
    if (typeof value !== "number" || value < 0 || value >= FORMATS.length) {
      throw new CausewayError("VALUE_INVALID", `/${EVENT_LOG}/0/${Id.format} takes 0 to ${FORMATS.length - 1}`);
    }
    this.#format = value;
    this.#touch(Id.format);
    this.#touch(Id.data);
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
