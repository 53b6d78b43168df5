import type { ServerResponse } from "node:http";
import type { Clock, Timer } from "../base/clock.js";
import type { Explanation, Why } from "../lwm2m/why.js";

const MAX_STREAMS = 4;
/** Who reads slower than this much at a time misses events, and is told how many. */
const MAX_WAITING_BYTES = 256 * 1024;
/** Shows both ends that the other is there. */
const KEEP_ALIVE_MS = 15_000;

/**
 * The decisions of all clients as server-sent events (HTML Living Standard §9.2): each has the JSON of an `Explanation`
 * with `atMs`. While nobody reads, nothing is told.
 */
export class EventStreams implements Disposable {
  readonly #why: Why;
  readonly #clock: Clock;
  readonly #streams = new Set<EventStream>();

  constructor(why: Why, clock: Clock) {
    this.#why = why;
    this.#clock = clock;
  }

  /** Writes to the response until its reader goes; false when there are too many readers. */
  open(response: ServerResponse): boolean {
    if (this.#streams.size >= MAX_STREAMS) return false;
    const stream = new EventStream(response, this.#why, this.#clock);
    this.#streams.add(stream);
    response.once("close", () => {
      this.#streams.delete(stream);
      stream[Symbol.dispose]();
    });
    return true;
  }

  [Symbol.dispose](): void {
    for (const stream of this.#streams) stream[Symbol.dispose]();
    this.#streams.clear();
  }
}

class EventStream implements Disposable {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #listening: Disposable;
  #timer: Timer;
  #missed = 0;

  constructor(response: ServerResponse, why: Why, clock: Clock) {
    this.#response = response;
    this.#clock = clock;
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(": causeway\n\n");
    this.#listening = why.listen((explanation) => this.#tell(explanation));
    this.#timer = this.#keepAlive();
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.#timer.cancel();
    this.#response.end();
  }

  #tell(explanation: Explanation): void {
    if (this.#response.writableLength > MAX_WAITING_BYTES) {
      this.#missed++;
      return;
    }
    const atMs = this.#clock.nowMs();
    if (this.#missed > 0)
      this.#response.write(`event: missed\ndata: ${JSON.stringify({ atMs, count: this.#missed })}\n\n`);
    this.#missed = 0;
    this.#response.write(`data: ${JSON.stringify({ atMs, ...explanation })}\n\n`);
  }

  #keepAlive(): Timer {
    return this.#clock.schedule(KEEP_ALIVE_MS, () => {
      if (this.#response.writableLength === 0) this.#response.write(":\n\n");
      this.#timer = this.#keepAlive();
    });
  }
}
