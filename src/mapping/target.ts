import type { Clock, Timer } from "../base/clock.js";
import type { Quality, Reading } from "../field/reading.js";
import type { Path } from "../lwm2m/path.js";
import type { ObjectTree } from "../lwm2m/tree.js";
import type { ResourceType, Sample } from "../lwm2m/value.js";
import type { Companions } from "./companions.js";
import { type Report, type Reported, reportWaitMs } from "./report.js";
import { type Transform, toResource, toValue } from "./transform.js";

/** A sample on its way into a tree. */
export interface BridgedSample {
  readonly device: string;
  readonly point: string;
  readonly tree: ObjectTree;
  readonly path: Path;
  readonly type: ResourceType;
  readonly sample: Sample;
}

export interface TargetOptions extends Omit<BridgedSample, "sample"> {
  readonly transform: Transform;
  readonly report: Report | undefined;
  readonly companions: Companions | undefined;
  readonly clock: Clock;
  /** Hears of each sample that passed the report filter; must not throw. */
  readonly onSample: (sample: BridgedSample) => void;
}

/** One resource that a point feeds. */
export class Target implements Disposable {
  readonly #options: TargetOptions;
  #last: Reported | undefined;
  /** What comes when the interval between reports is over. */
  #held: Sample | undefined;
  #timer: Timer | undefined;

  constructor(options: TargetOptions) {
    this.#options = options;
  }

  get path(): Path {
    return this.#options.path;
  }

  accept(reading: Reading): void {
    const { transform, type, companions, report } = this.#options;
    if (reading.quality !== "good" && reading.quality !== "manual") {
      companions?.quality(reading.quality, reading.atMs);
      return;
    }
    const result =
      reading.quality === "manual" ? toResource(reading.value, type) : toValue(reading.value, transform, type);
    const quality: Quality = result.quality === "good" ? reading.quality : result.quality;
    companions?.quality(quality, reading.atMs);
    if (result.quality !== "good") return;
    const sample = { value: result.value, atMs: reading.atMs };
    companions?.measured(sample);
    const waitMs = report === undefined ? 0 : reportWaitMs(report, this.#last, sample.value, sample.atMs);
    if (waitMs === 0) this.#report(sample);
    else this.#hold(waitMs === undefined ? undefined : sample, waitMs);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #report(sample: Sample): void {
    const { tree, path, device, point, type, report, onSample } = this.#options;
    if (report !== undefined) {
      this.#last = sample;
      this.#hold(undefined, undefined);
    }
    tree.set(path, sample);
    onSample({ device, point, tree, path, type, sample });
  }

  /** The newest value counts; one that has gone back to what was reported is no news any more. */
  #hold(sample: Sample | undefined, waitMs: number | undefined): void {
    this.#held = sample;
    if (waitMs === undefined) {
      this.#timer?.cancel();
      this.#timer = undefined;
      return;
    }
    this.#timer ??= this.#options.clock.schedule(waitMs, () => {
      this.#timer = undefined;
      if (this.#held !== undefined) this.#report(this.#held);
    });
  }
}
