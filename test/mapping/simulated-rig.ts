import { type Clock, systemClock, withinTime } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import type { AnyAdapter, Point, SimulatedField } from "../../src/field/adapter.js";
import { openField } from "../../src/field/field.js";
import { type Reading, type Scalar, sameScalar } from "../../src/field/reading.js";
import type { Profile } from "../../src/mapping/profile.js";
import { settle } from "../fakes/clock.js";
import { type Hold, holdOf } from "./plausible.js";

const NEVER_MS = 24 * 3_600_000;
const PATIENCE_MS = 10_000;
const DEVICE = "device";
const forever = new AbortController().signal;

/** What a device says each second it says to a test so much more often. */
const HASTE = 50;
const HASTY: Clock = {
  ...systemClock,
  schedule: (delayMs, callback) => systemClock.schedule(delayMs / HASTE, callback),
};

export interface SimulatedRig extends AsyncDisposable {
  readonly simulated: SimulatedField<unknown>;
  /**
   * What each readable point says once all of them have a good value: polled, or heard from now on or before. What is
   * missing then is in the error.
   */
  readAll(): Promise<ReadonlyMap<string, Scalar>>;
  /** Raw, as an adapter takes it; returns when the device holds it. */
  write(point: string, raw: Scalar): Promise<void>;
}

/**
 * A device that an adapter makes of its profile, and a field that reaches it by the adapter's real link. `fill` gives
 * the points their values, raw, before it opens.
 */
export async function simulatedRig(
  adapter: AnyAdapter,
  profile: Profile,
  address: unknown,
  fill: (hold: Hold) => void,
): Promise<SimulatedRig> {
  const scope = new Scope((error) => {
    throw error;
  });
  // What a real device needs time for a simulated one does not.
  const { afterConnectMs: _, requestGapMs: __, ...traits } = profile.traits;
  const points = [...profile.points.values()].map(({ point }) => point);
  const simulated = scope.use(await simulate(adapter, { station: { name: DEVICE, address, traits }, points }));
  fill(holdOf(simulated, DEVICE));
  const heard = new Heard(points.filter(({ access }) => access !== "w"));
  const field = await openField(
    {
      links: [{ name: "link", adapter: adapter.name, options: simulated.link }],
      devices: [
        {
          name: DEVICE,
          link: "link",
          address,
          traits,
          points,
          poll: { fastMs: NEVER_MS, normalMs: NEVER_MS, slowMs: NEVER_MS },
        },
      ],
      loadAdapter: () => Promise.resolve(adapter),
      clock: systemClock,
      log: silentLog,
      onReadings: (_device, readings) => heard.accept(readings),
    },
    scope,
  );
  return {
    simulated,
    async readAll() {
      heard.accept(await field.read(DEVICE, forever));
      return await heard.complete();
    },
    async write(point, raw) {
      await field.write(DEVICE, point, raw, forever);
      await held(simulated, point, raw);
    },
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

async function simulate(
  adapter: AnyAdapter,
  station: Parameters<NonNullable<AnyAdapter["simulate"]>>[1][number],
): Promise<SimulatedField<unknown>> {
  const secret = (text: string): Promise<string> => Promise.resolve(text);
  const context = { name: adapter.name, clock: HASTY, log: silentLog, secret };
  const simulated = await adapter.simulate?.({}, [station], context);
  if (simulated === undefined) throw new Error(`${adapter.name} cannot simulate`);
  return simulated;
}

/** What no device acknowledges may come to it later. */
async function held(simulated: SimulatedField<unknown>, point: string, value: Scalar): Promise<void> {
  const holds = (): boolean => {
    try {
      return sameScalar(simulated.get(DEVICE, point), value);
    } catch {
      return false;
    }
  };
  for (const endMs = systemClock.monotonicMs() + PATIENCE_MS; !holds(); await settle()) {
    if (systemClock.monotonicMs() > endMs) throw new Error(`${point} did not become ${String(value)}`);
  }
}

/** The last reading of each point. */
class Heard {
  readonly #points: readonly Point<unknown>[];
  readonly #last = new Map<string, Reading>();
  #look: () => void = () => undefined;

  constructor(points: readonly Point<unknown>[]) {
    this.#points = points;
  }

  accept(readings: readonly Reading[]): void {
    for (const reading of readings) this.#last.set(reading.point, reading);
    this.#look();
  }

  async complete(): Promise<ReadonlyMap<string, Scalar>> {
    const complete = new Promise<void>((resolve) => {
      this.#look = () => {
        if (this.#missing.length === 0) resolve();
      };
      this.#look();
    });
    await withinTime(complete, PATIENCE_MS, () => new Error(this.#missing.join("\n")), systemClock, forever);
    return new Map([...this.#last].map(([point, { value = "" }]) => [point, value]));
  }

  get #missing(): readonly string[] {
    return this.#points.flatMap(({ name }) => {
      const reading = this.#last.get(name);
      if (reading?.quality === "good") return [];
      return [`${name}: ${reading === undefined ? "never heard" : `${reading.quality}, ${String(reading.value)}`}`];
    });
  }
}
