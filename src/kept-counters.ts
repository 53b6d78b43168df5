import type { Clock, Timer } from "./base/clock.js";
import type { ClientState, Json } from "./lwm2m/state/client-state.js";
import type { CounterMemory, CounterState } from "./mapping/counter.js";

const SECTION = "counters";
const KEEP_EVERY_MS = 60_000;

interface DeviceCounters {
  readonly profile: string;
  readonly states: Map<string, CounterState>;
}

/**
 * Counters that outlive the process, kept with the state of a client: a document for each device, of its present
 * profile. What was carried is put down at once, what only grew each minute and when this is disposed of.
 */
export class KeptCounters implements CounterMemory, Disposable {
  readonly #state: Pick<ClientState, "load" | "put">;
  readonly #clock: Clock;
  readonly #devices = new Map<string, DeviceCounters>();
  readonly #grown = new Set<string>();
  #timer: Timer | undefined;

  constructor(state: Pick<ClientState, "load" | "put">, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  load(device: string, profile: string): ReadonlyMap<string, CounterState> {
    const states = readDocument(this.#state.load(SECTION).get(device), profile);
    this.#devices.set(device, { profile, states });
    return new Map(states);
  }

  keep(device: string, point: string, state: CounterState): void {
    const states = this.#devices.get(device)?.states;
    const before = states?.get(point);
    if (states === undefined || (before?.raw === state.raw && before.carried === state.carried)) return;
    states.set(point, state);
    if (before?.carried !== state.carried) {
      this.#put(device);
      return;
    }
    this.#grown.add(device);
    this.#timer ??= this.#clock.schedule(KEEP_EVERY_MS, () => this.#putGrown());
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#putGrown();
  }

  #putGrown(): void {
    this.#timer = undefined;
    for (const device of this.#grown) this.#put(device);
  }

  #put(device: string): void {
    const counters = this.#devices.get(device);
    if (counters === undefined) return;
    const { profile, states } = counters;
    const points = Object.fromEntries([...states].map(([point, { raw, carried }]) => [point, { raw, carried }]));
    this.#state.put(SECTION, device, { profile, points });
    this.#grown.delete(device);
  }
}

/** Empty for what cannot be understood, or was counted by another profile: the counters begin with what the device says. */
function readDocument(document: Json | undefined, profile: string): Map<string, CounterState> {
  if (!isObject(document) || document["profile"] !== profile || !isObject(document["points"])) return new Map();
  return new Map(Object.entries(document["points"]).flatMap(([point, state]) => counterEntry(point, state)));
}

function counterEntry(point: string, state: Json): readonly (readonly [string, CounterState])[] {
  if (!isObject(state)) return [];
  const { raw, carried } = state;
  return typeof raw === "number" && typeof carried === "number" ? [[point, { raw, carried }]] : [];
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
