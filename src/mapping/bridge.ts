import type { Clock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import type { ScalarKind } from "../field/adapter.js";
import type { Reading, Scalar } from "../field/reading.js";
import type { ObjectModel } from "../lwm2m/model/model.js";
import type { Path } from "../lwm2m/path.js";
import type { ObjectTree, ResourceHandler, WrittenValue } from "../lwm2m/tree.js";
import type { Value } from "../lwm2m/value.js";
import { Companions } from "./companions.js";
import type { CounterMemory, CounterState } from "./counter.js";
import { Derivation, derives } from "./derivation.js";
import { type PointStatus, pointStatuses } from "./point-status.js";
import { datumOf, inputsOf, type Profile, type ProfileObject } from "./profile.js";
import { joinReports, type Report } from "./report.js";
import { type BridgedSample, Target } from "./target.js";
import { PLAIN, toScalar } from "./transform.js";

export type { BridgedSample } from "./target.js";

export interface BridgedDevice {
  readonly name: string;
  readonly profile: Profile;
  /** The tree that shows the device: the gateway's own, one behind a prefix, or that of its own endpoint. */
  readonly tree: ObjectTree;
  instanceId(objectId: number, ordinal: number): number;
  /** Report filters by point; what they do not say is as the profile has it. */
  readonly report: ReadonlyMap<string, Report>;
  /** What stands in the place of points, in the unit of the profile: the device is not asked for them. */
  readonly manual?: ReadonlyMap<string, Scalar>;
  /** Value kind of a point, where the adapter fixes it. */
  kindOf(point: string): ScalarKind | undefined;
}

export interface BridgeOptions {
  readonly clock: Clock;
  readonly log?: Log;
  /**
   * Carries a value to the device and returns when the device confirmed it; what it read back has then been given to
   * `accept`. Rejects with FIELD_*, LINK_* or VALUE_INVALID. `by` says who wants it.
   */
  readonly writePoint: (
    device: string,
    point: string,
    value: Scalar,
    signal: AbortSignal,
    by?: string,
  ) => Promise<void>;
  /** Hears which points a device does not have, or of which that is not known yet, when it is another set than before. */
  readonly onAbsent?: (device: string, points: ReadonlySet<string>) => void;
  /** Where the totals of counters outlive the process; after a start they are what the devices say, when absent. */
  readonly counters?: CounterMemory;
  /** Hears of each sample that passed the report filter; must not throw. */
  readonly onSample: (sample: BridgedSample) => void;
}

interface Entry {
  readonly device: BridgedDevice;
  readonly targets: ReadonlyMap<string, readonly Target[]>;
  /** Absent where no value depends on another one. */
  readonly derivation: Derivation | undefined;
  /** What was set by hand. */
  readonly manual: Map<string, Reading>;
}

/** The one place where the two halves meet: readings become samples, a server's writes become values of points. */
export class Bridge implements Disposable {
  readonly #options: BridgeOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  /** Shows the device in its tree; its resources have no value until something was read. */
  addDevice(device: BridgedDevice): void {
    const derivation = derives(device.profile) ? this.#derivationOf(device) : undefined;
    const targets = new Map<string, Target[]>();
    for (const object of device.profile.objects) {
      for (const [point, target] of this.#addObject(device, object, derivation)) {
        targets.set(point, [...(targets.get(point) ?? []), target]);
      }
    }
    this.#entries.set(device.name, { device, targets, derivation, manual: new Map() });
  }

  /** The resources that each point of a device feeds, itself or through others, by the point's name. */
  pathsOf(device: string): ReadonlyMap<string, readonly Path[]> {
    const entry = this.#entries.get(device);
    if (entry === undefined) return new Map();
    const paths = new Map([...entry.targets].map(([point, own]) => [point, own.map(({ path }) => path)]));
    const { points, derived } = entry.device.profile;
    // A derived point comes after those that it needs, so what feeds a resource through several is found in one pass.
    for (const [name, datum] of [...[...derived].reverse(), ...points]) {
      for (const input of inputsOf(datum)) {
        paths.set(input, [...new Set([...(paths.get(input) ?? []), ...(paths.get(name) ?? [])])]);
      }
    }
    return paths;
  }

  /** Takes what was read; unknown devices and points feed nothing and are ignored. */
  accept(device: string, readings: readonly Reading[]): void {
    const entry = this.#entries.get(device);
    if (entry === undefined) return;
    const { manual } = entry;
    feed(entry, manual.size === 0 ? readings : readings.filter(({ point }) => !manual.has(point)));
  }

  /** What was set by hand has its value from now on. */
  tellManual(device: string): void {
    const entry = this.#entries.get(device);
    if (entry === undefined) return;
    const atMs = this.#options.clock.nowMs();
    for (const [point, value] of entry.device.manual ?? []) {
      entry.manual.set(point, { point, atMs, quality: "manual", value });
    }
    feed(entry, [...entry.manual.values()]);
  }

  /** Points that are not to be polled: the device has them not, or it is not known, or they were set by hand. */
  absentOf(device: string): ReadonlySet<string> {
    const entry = this.#entries.get(device);
    return new Set([...(entry?.derivation?.absent ?? []), ...(entry?.device.manual?.keys() ?? [])]);
  }

  /** What is known of each point of a device, in the order of its profile; `readings` are the last ones of the field. */
  statusOf(device: string, readings: ReadonlyMap<string, Reading>): readonly PointStatus[] {
    const entry = this.#entries.get(device);
    if (entry === undefined) return [];
    const {
      derivation,
      manual,
      device: { profile },
    } = entry;
    const isFinal = (point: string): boolean => manual.has(point) || derivation?.finishes(point) === true;
    return pointStatuses(profile, {
      readings: new Map([...(derivation?.last ?? readings), ...manual]),
      isFinal,
      absence: (point) => derivation?.absence(point),
    });
  }

  [Symbol.dispose](): void {
    for (const { targets } of this.#entries.values()) {
      for (const target of [...targets.values()].flat()) target[Symbol.dispose]();
    }
  }

  #derivationOf({ name: device, profile, manual = new Map() }: BridgedDevice): Derivation {
    const { log, onAbsent, counters } = this.#options;
    const memory = counters && {
      counters: counters.load(device, profile.name),
      onCounted: (point: string, state: CounterState) => counters.keep(device, point, state),
    };
    return new Derivation({
      ...memory,
      profile,
      onAbsent: (points) => onAbsent?.(device, new Set([...points, ...manual.keys()])),
      onCounter: (point, event, from, to) => log?.info(`counter ${COUNTER_WORDS[event]}`, { device, point, from, to }),
    });
  }

  #addObject(
    device: BridgedDevice,
    object: ProfileObject,
    derivation: Derivation | undefined,
  ): readonly (readonly [point: string, target: Target])[] {
    const { model, ordinal, resources } = object;
    const { clock, onSample } = this.#options;
    const { tree } = device;
    const instanceId = device.instanceId(model.id, ordinal);
    const companions = new Companions(tree, object, instanceId, device.profile);
    const handlers = companions.handlers();
    for (const [resourceId, source] of resources) {
      if (source.kind === "point") handlers.set(resourceId, this.#handlerOf(device, source.point, derivation));
    }
    tree.addInstance(model, instanceId, handlers);
    companions.begin(clock.nowMs());
    this.#setLiterals(tree, object, instanceId);
    return [...resources].flatMap(([resourceId, source]) => {
      const type = typeOf(model, resourceId);
      const datum = source.kind === "point" ? datumOf(device.profile, source.point) : undefined;
      if (source.kind === "literal" || datum === undefined || type === undefined) return [];
      const { point } = source;
      const target = new Target({
        device: device.name,
        point,
        tree,
        path: [model.id, instanceId, resourceId],
        type,
        transform: derivation?.finishes(point) === true ? PLAIN : datum.transform,
        report: joinReports(datum.report, device.report.get(point)),
        companions: companions.valueId === resourceId ? companions : undefined,
        clock,
        onSample,
      });
      return [[point, target] as const];
    });
  }

  #setLiterals(tree: ObjectTree, { model, resources }: ProfileObject, instanceId: number): void {
    const atMs = this.#options.clock.nowMs();
    for (const [resourceId, source] of resources) {
      if (source.kind === "literal" && typeOf(model, resourceId) !== undefined) {
        tree.set([model.id, instanceId, resourceId], { value: source.value, atMs });
      }
    }
  }

  /** What is derived is read only, too. */
  #handlerOf(device: BridgedDevice, name: string, derivation: Derivation | undefined): ResourceHandler {
    const source = device.profile.points.get(name);
    const write = async (value: WrittenValue, signal: AbortSignal, by?: string): Promise<void> => {
      if (source === undefined || source.point.access === "r") {
        throw new CausewayError("FIELD_NOT_WRITABLE", `${device.name}: ${name} is read only`);
      }
      if (device.manual?.has(name) === true) {
        throw new CausewayError("FIELD_NOT_WRITABLE", `${device.name}: ${name} is set by hand in the configuration`);
      }
      const transform = derivation?.transformOf(source) ?? source.transform;
      const scalar = toScalar(single(value), transform, device.kindOf(name));
      await this.#options.writePoint(device.name, name, scalar, signal, by);
    };
    return { write };
  }
}

function feed({ derivation, targets }: Entry, readings: readonly Reading[]): void {
  for (const reading of derivation?.accept(readings) ?? readings) {
    for (const target of targets.get(reading.point) ?? []) target.accept(reading);
  }
}

const COUNTER_WORDS = { rollover: "rolled over", reset: "began anew" } as const;

function typeOf({ resources }: ObjectModel, resourceId: number) {
  return resources.get(resourceId)?.type;
}

function single(value: WrittenValue): Value {
  if (!(value instanceof Map)) return value as Value;
  const [first] = value.values();
  if (first === undefined) throw new CausewayError("VALUE_INVALID", "no value");
  return first;
}
