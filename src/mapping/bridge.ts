import type { Clock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import type { ScalarKind } from "../field/adapter.js";
import type { Quality, Reading, Scalar } from "../field/reading.js";
import type { Path } from "../lwm2m/path.js";
import type { ObjectTree, ResourceHandler, WrittenValue } from "../lwm2m/tree.js";
import type { ResourceType, Sample, Value } from "../lwm2m/value.js";
import { Companions } from "./companions.js";
import type { Profile, ProfileObject, ProfilePoint } from "./profile.js";
import { passes, type Report, type Reported } from "./report.js";
import { toScalar, toValue } from "./transform.js";

export interface BridgedDevice {
  readonly name: string;
  readonly profile: Profile;
  /** The tree that shows the device: the gateway's own, one behind a prefix, or that of its own endpoint. */
  readonly tree: ObjectTree;
  instanceId(objectId: number, ordinal: number): number;
  /** Report filters by point. */
  readonly report: ReadonlyMap<string, Report>;
  /** Value kind of a point, where the adapter fixes it. */
  kindOf(point: string): ScalarKind | undefined;
}

export interface BridgeOptions {
  readonly clock: Clock;
  /**
   * Carries a value to the device and returns when the device confirmed it; what it read back has then been given to
   * `accept`. Rejects with FIELD_*, LINK_* or VALUE_INVALID.
   */
  readonly writePoint: (device: string, point: string, value: Scalar, signal: AbortSignal) => Promise<void>;
  /** Hears of each sample that passed the report filter; must not throw. */
  readonly onSample: (sample: BridgedSample) => void;
}

/** A sample on its way into a tree. */
export interface BridgedSample {
  readonly device: string;
  readonly point: string;
  readonly tree: ObjectTree;
  readonly path: Path;
  readonly type: ResourceType;
  readonly sample: Sample;
}

/** One resource that a point feeds. */
interface Target {
  readonly device: string;
  readonly source: ProfilePoint;
  readonly tree: ObjectTree;
  readonly path: Path;
  readonly type: ResourceType;
  readonly report: Report | undefined;
  readonly companions: Companions | undefined;
  last: Reported | undefined;
}

/** The one place where the two halves meet: readings become samples, a server's writes become values of points. */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #targets = new Map<string, ReadonlyMap<string, readonly Target[]>>();

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  /** Shows the device in its tree; its resources have no value until something was read. */
  addDevice(device: BridgedDevice): void {
    const targets = new Map<string, Target[]>();
    for (const object of device.profile.objects) {
      for (const target of this.#addObject(device, object)) {
        const point = target.source.point.name;
        targets.set(point, [...(targets.get(point) ?? []), target]);
      }
    }
    this.#targets.set(device.name, targets);
  }

  /** The resources that each point of a device feeds, by the point's name. */
  pathsOf(device: string): ReadonlyMap<string, readonly Path[]> {
    const targets = this.#targets.get(device) ?? [];
    return new Map([...targets].map(([point, own]) => [point, own.map(({ path }) => path)]));
  }

  /** Takes what was read; unknown devices and points feed nothing and are ignored. */
  accept(device: string, readings: readonly Reading[]): void {
    const targets = this.#targets.get(device);
    if (targets === undefined) return;
    for (const reading of readings) {
      for (const target of targets.get(reading.point) ?? []) this.#acceptInto(target, reading);
    }
  }

  #acceptInto(target: Target, reading: Reading): void {
    if (reading.quality !== "good" && reading.quality !== "manual") {
      target.companions?.quality(reading.quality, reading.atMs);
      return;
    }
    const result = toValue(reading.value, target.source.transform, target.type);
    const quality: Quality = result.quality === "good" ? reading.quality : result.quality;
    target.companions?.quality(quality, reading.atMs);
    if (result.quality !== "good") return;
    const sample = { value: result.value, atMs: reading.atMs };
    target.companions?.measured(sample);
    if (!passes(target.report, target.last, sample.value, sample.atMs)) return;
    if (target.report !== undefined) target.last = sample;
    target.tree.set(target.path, sample);
    const { device, source, tree, path, type } = target;
    this.#options.onSample({ device, point: source.point.name, tree, path, type, sample });
  }

  #addObject(device: BridgedDevice, object: ProfileObject): readonly Target[] {
    const { model, ordinal, resources } = object;
    const instanceId = device.instanceId(model.id, ordinal);
    const companions = new Companions(device.tree, object, instanceId, device.profile.points);
    const handlers = new Map<number, ResourceHandler>(companions.handlers);
    for (const [resourceId, source] of resources) {
      const point = source.kind === "point" ? device.profile.points.get(source.point) : undefined;
      if (point !== undefined) handlers.set(resourceId, this.#handlerOf(device, point));
    }
    device.tree.addInstance(model, instanceId, handlers);
    companions.begin(this.#options.clock.nowMs());
    const targets: Target[] = [];
    for (const [resourceId, source] of resources) {
      const path = [model.id, instanceId, resourceId];
      const type = model.resources.get(resourceId)?.type;
      if (type === undefined) continue;
      if (source.kind === "literal") {
        device.tree.set(path, { value: source.value, atMs: this.#options.clock.nowMs() });
        continue;
      }
      const point = device.profile.points.get(source.point);
      if (point === undefined) continue;
      targets.push({
        device: device.name,
        source: point,
        tree: device.tree,
        path,
        type,
        report: device.report.get(source.point),
        companions: companions.valueId === resourceId ? companions : undefined,
        last: undefined,
      });
    }
    return targets;
  }

  #handlerOf(device: BridgedDevice, { point, transform }: ProfilePoint): ResourceHandler {
    const write = async (value: WrittenValue, signal: AbortSignal): Promise<void> => {
      if (point.access === "r")
        throw new CausewayError("FIELD_NOT_WRITABLE", `${device.name}: ${point.name} is read only`);
      const scalar = toScalar(single(value), transform, device.kindOf(point.name));
      await this.#options.writePoint(device.name, point.name, scalar, signal);
    };
    return { write };
  }
}

function single(value: WrittenValue): Value {
  if (!(value instanceof Map)) return value as Value;
  const [first] = value.values();
  if (first === undefined) throw new CausewayError("VALUE_INVALID", "no value");
  return first;
}
