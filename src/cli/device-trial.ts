import { systemClock } from "../base/clock.js";
import type { ConfiguredDevice, GatewayConfig } from "../config/config.js";
import { jsonScalar, type Quality, type Reading, type Scalar } from "../field/reading.js";
import { formatPath } from "../lwm2m/path.js";
import { ObjectTree } from "../lwm2m/tree.js";
import { Bridge } from "../mapping/bridge.js";
import type { PointStatus } from "../mapping/point-status.js";
import { numberText } from "./number-text.js";

export interface PointTrial {
  readonly point: string;
  /** As the adapter decoded it, before scaling. */
  readonly raw?: string;
  readonly value?: number | string | boolean;
  readonly unit?: string;
  readonly quality: Quality;
  readonly reason?: string;
  /** The resources it feeds, as if the device were alone. */
  readonly paths: readonly string[];
  /** What a healthy installation shows. */
  readonly expected?: readonly [min: number, max: number];
  readonly verdict: "good" | "bad" | "implausible";
}

/** One device on trial: what was read of each point, and what became of it on its way into a tree of its own. */
export class DeviceTrial implements Disposable {
  readonly name: string;
  readonly #device: ConfiguredDevice;
  readonly #bridge: Bridge;
  readonly #readings = new Map<string, Reading>();

  constructor(device: ConfiguredDevice, { adapters }: Pick<GatewayConfig, "adapters">) {
    const { field, profile } = device;
    this.name = field.name;
    this.#device = device;
    this.#bridge = new Bridge({
      clock: systemClock,
      writePoint: () => Promise.resolve(),
      onSample: () => undefined,
    });
    this.#bridge.addDevice({
      name: field.name,
      profile,
      tree: new ObjectTree(),
      instanceId: (_objectId, ordinal) => ordinal,
      report: new Map(),
      kindOf: (point) => adapters.get(profile.adapter)?.kind?.(profile.points.get(point)?.point.address),
    });
  }

  accept(readings: readonly Reading[]): void {
    for (const reading of readings) this.#readings.set(reading.point, reading);
    this.#bridge.accept(this.name, readings);
  }

  /** Points of which nothing has been heard. */
  missing(): readonly string[] {
    const { points } = this.#device.profile;
    const absent = this.#bridge.absentOf(this.name);
    return [...points.keys()].filter((name) => {
      const quality = this.#readings.get(name)?.quality ?? "never-read";
      return quality === "never-read" && points.get(name)?.point.access !== "w" && !absent.has(name);
    });
  }

  isGood(): boolean {
    return this.result().points.every(({ verdict }) => verdict === "good");
  }

  result(): { readonly device: string; readonly profile: string; readonly points: readonly PointTrial[] } {
    const statuses = this.#bridge.statusOf(this.name, this.#readings);
    const absent = this.#bridge.absentOf(this.name);
    const points = statuses.filter(({ name }) => !absent.has(name)).map((status) => this.#pointTrial(status));
    return { device: this.name, profile: this.#device.profile.name, points };
  }

  [Symbol.dispose](): void {
    this.#bridge[Symbol.dispose]();
  }

  #pointTrial({ name, quality, value, unit, reason }: PointStatus): PointTrial {
    const { profile } = this.#device;
    const raw = this.#readings.get(name)?.value;
    const expected = profile.verify.get(name);
    return {
      point: name,
      ...(raw === undefined ? {} : { raw: scalarText(raw) }),
      ...(value === undefined ? {} : { value: jsonScalar(value) }),
      ...(unit === undefined ? {} : { unit }),
      quality,
      ...(reason === undefined ? {} : { reason }),
      paths: (this.#bridge.pathsOf(this.name).get(name) ?? []).map(formatPath),
      ...(expected === undefined ? {} : { expected }),
      verdict: verdictOf(quality, value, expected),
    };
  }
}

function verdictOf(quality: Quality, value: unknown, expected: readonly [number, number] | undefined) {
  if (quality !== "good") return "bad";
  if (expected === undefined) return "good";
  return Number(value) >= expected[0] && Number(value) <= expected[1] ? "good" : "implausible";
}

/** A value for people. */
export function scalarText(raw: Scalar): string {
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString("hex");
  return typeof raw === "number" ? numberText(raw) : String(raw);
}
