import { CausewayError, type Point, type Scalar, sameScalar } from "causeway/adapter";
import { extract, FrameText } from "./extract.js";
import type { SerialPoint } from "./options.js";
import { matches } from "./request.js";
import { type FrameForm, isOneFrame, sealed, trailerLength } from "./simulated-envelope.js";
import { type PlaceRules, placements } from "./simulated-place.js";
import { type FramePlan, skeletons } from "./simulated-skeleton.js";
import { groupIn } from "./simulated-text.js";

interface Told {
  readonly point: Point<SerialPoint>;
  readonly value: Scalar;
}

/** A kind of frame that says what its points hold; what it says is read again as the adapter reads it. */
export class SimulatedFrame {
  readonly #plan: FramePlan;
  readonly #form: FrameForm;
  /** What is common to all of them, one character for each byte. */
  readonly #skeleton: string;

  /** Throws CONFIG_INVALID when no frame is found that is of the kind and has a place for each point. */
  constructor(plan: FramePlan) {
    this.#plan = plan;
    const { kind, points } = plan;
    const isText = kind.match !== undefined && "text" in kind.match;
    this.#form = isText || points.some(({ address }) => address.at?.offset === undefined) ? "text" : "bytes";
    this.#skeleton = this.#findSkeleton();
  }

  /**
   * Without what only the wire needs; undefined while it would also say what nobody has set, such as a zero in bytes.
   * Throws VALUE_INVALID when no frame can say these values.
   */
  bytes(values: ReadonlyMap<string, Scalar>): Uint8Array | undefined {
    const told = this.#plan.points.flatMap((point): Told[] => {
      const value = values.get(point.name);
      return value === undefined ? [] : [{ point, value }];
    });
    let content = this.#skeleton;
    for (const one of told) content = this.#placed(content, one);
    const frame = this.#whole(content);
    const text = frame === undefined ? undefined : new FrameText(frame);
    const lost = told.find(({ point, value }) => text === undefined || !tells(text, point, value));
    if (lost !== undefined) throw this.#misfit(lost);
    const [, refusal] = [...(this.#plan.kind.refusals ?? [])].find(([pattern]) => isIn(pattern, text)) ?? [];
    if (text === undefined || refusal !== undefined) {
      throw new CausewayError("VALUE_INVALID", `${this.#plan.place}: the frame would say '${refusal ?? "nothing"}'`);
    }
    const unset = this.#plan.points.filter(({ name }) => !values.has(name));
    return unset.some(({ address }) => extract(address, text)?.quality === "good") ? undefined : text.bytes;
  }

  #findSkeleton(): string {
    const { place, points } = this.#plan;
    for (const draft of skeletons(this.#plan)) {
      const found = this.#cut(draft).find((content) => this.#hasPlaces(content));
      if (found !== undefined) return found;
    }
    const names = points.map(({ name }) => name).join(", ");
    throw new CausewayError("CONFIG_INVALID", `${place} cannot be simulated: no frame is known for ${names || "it"}`);
  }

  /** A text may have in it what the envelope adds once more. */
  #cut(content: string): readonly string[] {
    const most = Math.min(content.length, trailerLength(this.#plan.protocol));
    return Array.from({ length: most + 1 }, (_, count) => content.slice(0, content.length - count));
  }

  /** Whether each expression has its group, apart from those of the others. */
  #hasPlaces(content: string): boolean {
    const frame = this.#whole(content);
    if (frame === undefined) return false;
    const { text } = new FrameText(frame);
    const groups = new Map<string, readonly [number, number] | undefined>();
    for (const { address } of this.#plan.points) {
      const { match, obis, group = 1 } = address.at ?? {};
      if (match !== undefined && obis === undefined) groups.set(`${group} ${match}`, groupIn(text, match, group));
    }
    const spans = [...groups.values()].toSorted((a, b) => (a?.[0] ?? 0) - (b?.[0] ?? 0));
    return spans.every((span, index) => span !== undefined && span[0] >= (spans[index - 1]?.[1] ?? 0));
  }

  #placed(content: string, told: Told): string {
    const { point, value } = told;
    const bytes = this.#sealed(content);
    const text = bytes === undefined ? "" : new FrameText(bytes).text;
    for (const draft of placements(point.address, value, { content, text }, this.#rulesFor(point))) {
      const found = this.#cut(draft).find((candidate) => {
        const frame = this.#sealed(candidate);
        if (frame === undefined || !tells(new FrameText(frame), point, value)) return false;
        return isOneFrame(frame, this.#plan.protocol);
      });
      if (found !== undefined) return found;
    }
    throw this.#misfit(told);
  }

  #sealed(content: string): Uint8Array | undefined {
    return sealed(Uint8Array.from(Buffer.from(content, "latin1")), this.#plan.protocol, this.#form);
  }

  /** One intact frame of the kind. */
  #whole(content: string): Uint8Array | undefined {
    const frame = this.#sealed(content);
    if (frame === undefined || !isOneFrame(frame, this.#plan.protocol)) return undefined;
    return matches(frame, this.#plan.kind.match, new FrameText(frame).text) ? frame : undefined;
  }

  /** NMEA 0183 has the latitude first; a data line has a value for each group and, behind them, one for who names none. */
  #rulesFor({ address }: Point<SerialPoint>): PlaceRules {
    const places = this.#plan.points.flatMap(({ address: { type, at } }) =>
      at === undefined ? [] : [{ ...at, type }],
    );
    const angles = places.filter(({ type }) => type === "angle").map(({ csv = 0 }) => csv);
    const angle = address.at?.csv === Math.min(...angles) ? "latitude" : "longitude";
    const lines = places.filter(({ obis }) => obis === address.at?.obis);
    const named = lines.map(({ match, group = 0 }) => (match === undefined ? group : 0));
    const more = named.includes(0) ? 1 : 0;
    return { angle, groups: Math.max(...named, 0) + more };
  }

  #misfit({ point, value }: Told): CausewayError {
    const shown = value instanceof Uint8Array ? `${value.length} bytes` : `'${String(value)}'`;
    return new CausewayError("VALUE_INVALID", `${this.#plan.place}.${point.name}: no frame can say ${shown}`);
  }
}

function tells(frame: FrameText, { address }: Point<SerialPoint>, value: Scalar): boolean {
  const extracted = extract(address, frame);
  return extracted?.quality === "good" && sameScalar(extracted.value, value);
}

function isIn(pattern: string, frame: FrameText | undefined): boolean {
  return frame !== undefined && new RegExp(pattern).test(frame.text);
}
