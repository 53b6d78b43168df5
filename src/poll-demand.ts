import type { Clock, Timer } from "./base/clock.js";
import type { Scope } from "./base/scope.js";
import type { Field } from "./field/field.js";
import type { PollBounds } from "./field/poll-period.js";
import type { NamedPath } from "./lwm2m/codec/codec.js";
import { type EvaluationDemand, jointDemand } from "./lwm2m/observation/evaluation-demand.js";
import type { Path } from "./lwm2m/path.js";

/** A device whose polls follow what observers of its resources ask for. */
export interface DemandedDevice {
  readonly name: string;
  /** Before its paths, where it is behind the gateway. */
  readonly prefix?: string;
  /** What each of its points feeds. */
  readonly points: ReadonlyMap<string, readonly Path[]>;
}

/** The client that shows the devices. */
export interface DemandSource {
  demandOf(named: NamedPath): EvaluationDemand | undefined;
  onDemand(listener: () => void): Disposable;
}

/** Several attributes are often written in one go. */
const SETTLE_MS = 200;

/** Polls each point as often as the observers of what it feeds ask for by epmin and epmax, until the scope closes. */
export function followDemand(
  source: DemandSource,
  devices: readonly DemandedDevice[],
  field: Pick<Field, "setBounds">,
  clock: Clock,
  scope: Scope,
): void {
  let timer: Timer | undefined;
  const told = new Map<string, string>();
  const follow = (): void => {
    timer = undefined;
    for (const device of devices) {
      const bounds = boundsOf(device, source);
      const text = JSON.stringify([...bounds]);
      // Planning the requests anew for nothing would cost more than this.
      if (text === (told.get(device.name) ?? "[]")) continue;
      told.set(device.name, text);
      field.setBounds(device.name, bounds);
    }
  };
  const listening = source.onDemand(() => {
    timer ??= clock.schedule(SETTLE_MS, follow);
  });
  scope.defer(() => {
    listening[Symbol.dispose]();
    timer?.cancel();
  });
}

function boundsOf({ points, prefix }: DemandedDevice, source: DemandSource): ReadonlyMap<string, PollBounds> {
  const bounds = new Map<string, PollBounds>();
  const behind = prefix === undefined ? {} : { prefix };
  for (const [point, paths] of points) {
    const demand = jointDemand(paths.map((path) => source.demandOf({ path, ...behind })));
    if (demand !== undefined && (demand.minMs > 0 || Number.isFinite(demand.maxMs))) bounds.set(point, demand);
  }
  return bounds;
}
