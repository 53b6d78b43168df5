import { systemClock } from "../base/clock.js";
import { silentLog } from "../base/log.js";
import type { AnyAdapter, SimulatedField } from "../field/adapter.js";
import { loadAdapter } from "../field/load-adapter.js";
import type { Scalar } from "../field/reading.js";
import { loadModels } from "../lwm2m/model/models.js";
import type { Profile, ProfilePoint } from "../mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../mapping/profiles.js";
import { toScalar } from "../mapping/transform.js";
import { DEMO_DEVICES } from "./devices.js";
import type { FieldCommand, FieldMessage } from "./messages.js";

/** The demo's field: a Modbus TCP server in a process of its own, whose devices are made from their profiles. */
const CHANGE_EVERY_MS = 700;
const PERIOD_MS = 30_000;

interface Station {
  readonly name: string;
  readonly profile: Profile;
}

function tell(message: FieldMessage): void {
  process.send?.(message);
}

async function readStations(adapter: AnyAdapter): Promise<readonly Station[]> {
  const models = await loadModels();
  const shelf = await ProfileShelf.open([shippedMappings()], new Map([[adapter.name, adapter]]), models);
  return Promise.all(
    DEMO_DEVICES.map(async ({ name, profile: profileName }) => {
      const profile = (await shelf.read(profileName))?.profile;
      if (profile === undefined) throw new Error(`the demo's profile ${profileName} is not there`);
      return { name, profile };
    }),
  );
}

/** A plausible value at this moment: a slow wave within the profile's verify range, or a counter that grows. */
function liveValue({ point, kind }: ProfilePoint, range: readonly [number, number], elapsedMs: number): number {
  const [low, high] = range;
  if (kind === "counter") return low + Math.floor(elapsedMs / CHANGE_EVERY_MS);
  const phase = (point.name.length * 1.7 + elapsedMs / PERIOD_MS) * 2 * Math.PI;
  return (low + high) / 2 + ((high - low) / 4) * Math.sin(phase);
}

function change(
  field: SimulatedField<unknown>,
  stations: readonly Station[],
  adapter: AnyAdapter,
  elapsedMs: number,
): void {
  for (const { name, profile } of stations) {
    for (const source of profile.points.values()) {
      const { point, transform } = source;
      const isMeasured = adapter.kind?.(point.address) === "number" && transform.map === undefined;
      if (!isMeasured || point.access !== "r") continue;
      const value = liveValue(source, profile.verify.get(point.name) ?? transform.valid ?? [0, 100], elapsedMs);
      const raw: Scalar = toScalar(value, transform, "number");
      field.set(name, point.name, adapter.fit?.(point, raw) ?? raw);
    }
  }
}

async function main(): Promise<void> {
  const adapter = await loadAdapter("modbus");
  const stations = await readStations(adapter);
  const simulated = await adapter.simulate?.(
    { transport: "tcp", host: "127.0.0.1", port: 0 },
    stations.map(({ name, profile }) => ({
      station: { name, address: { unit: unitOf(name) }, traits: profile.traits },
      points: [...profile.points.values()].map(({ point }) => point),
    })),
    { name: "demo", clock: systemClock, log: silentLog, secret: (text: string) => Promise.resolve(text) },
  );
  if (simulated === undefined) throw new Error("the adapter cannot simulate");
  const beganMs = systemClock.monotonicMs();
  const step = (): void => {
    change(simulated, stations, adapter, systemClock.monotonicMs() - beganMs);
    systemClock.schedule(CHANGE_EVERY_MS, step);
  };
  step();
  process.on("message", ({ station, point }: FieldCommand) => {
    tell({ kind: "state", station, point, value: simulated.get(station, point) });
  });
  process.on("disconnect", () => process.exit(0));
  tell({ kind: "listening", link: simulated.link });
}

function unitOf(name: string): number {
  return DEMO_DEVICES.find((device) => device.name === name)?.unit ?? 0;
}

await main();
