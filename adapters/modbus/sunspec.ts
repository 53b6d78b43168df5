import type { Clock } from "causeway/adapter";

/** Reads holding registers of one station; undefined when it refuses. Rejects with FIELD_* or LINK_*. */
export type ReadWords = (register: number, count: number) => Promise<readonly number[] | undefined>;

/** The models that a station has. */
interface Chain {
  /** Register of the id of each, by model. */
  readonly models: ReadonlyMap<number, number>;
  /** `cut`: the station refused before the end, which some always do and others only while they are busy. */
  readonly end: "marked" | "cut";
}

/** Where the marker may stand (SunSpec Device Information Model Specification §6.2). */
const BASES = [40_000, 50_000, 0] as const;
/** "SunS". */
const MARKER = [0x5375, 0x6e53] as const;
const END_MODEL = 0xffff;
const MAX_MODELS = 64;
/** A station without a marker, or without an end, may still be starting. */
const LOOK_AGAIN_MS = 600_000;

interface Kept {
  readonly chain: Chain;
  readonly untilMs: number;
  /** The station was silent: another one may answer now. */
  isDoubtful: boolean;
}

/** Finds the models of SunSpec stations, whose registers differ from device to device; remembered for one connection. */
export class SunSpecChains {
  readonly #clock: Clock;
  readonly #kept = new Map<number, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Register of the id of the first of the models that the station has; undefined when it has none of them. */
  async find(unit: number, models: readonly number[], read: ReadWords): Promise<number | undefined> {
    const nowMs = this.#clock.monotonicMs();
    const kept = this.#kept.get(unit);
    if (kept !== undefined && kept.untilMs > nowMs) {
      const found = firstOf(models, kept.chain);
      if (!kept.isDoubtful || found === undefined) return found?.register;
      const [model] = (await read(found.register, 2)) ?? [];
      kept.isDoubtful = model !== found.model;
      if (!kept.isDoubtful) return found.register;
    }
    const chain = await readChain(read);
    const isKnown = chain.models.size > 0 && chain.end === "marked";
    const untilMs = isKnown ? Number.POSITIVE_INFINITY : nowMs + LOOK_AGAIN_MS;
    this.#kept.set(unit, { chain, untilMs, isDoubtful: false });
    return firstOf(models, chain)?.register;
  }

  /** To be told of each silence of the station. */
  doubt(unit: number): void {
    const kept = this.#kept.get(unit);
    if (kept !== undefined) kept.isDoubtful = true;
  }
}

function firstOf(models: readonly number[], chain: Chain) {
  for (const model of models) {
    const register = chain.models.get(model);
    if (register !== undefined) return { model, register };
  }
  return undefined;
}

/** Each model is its id, the count of registers that follow, and these; the first of a kind counts. */
export async function readChain(read: ReadWords): Promise<Chain> {
  const models = new Map<number, number>();
  for (const base of BASES) {
    const marker = await read(base, MARKER.length);
    if (!MARKER.every((word, index) => marker?.[index] === word)) continue;
    let at = base + MARKER.length;
    for (let count = 0; count < MAX_MODELS && at < 65535; count++) {
      const [model, length] = (await read(at, 2)) ?? [];
      if (model === undefined || length === undefined) return { models, end: "cut" };
      if (model === END_MODEL) break;
      if (!models.has(model)) models.set(model, at);
      at += 2 + length;
    }
    return { models, end: "marked" };
  }
  return { models, end: "cut" };
}

export function modelsOf(model: number | readonly number[]): readonly number[] {
  return typeof model === "number" ? [model] : model;
}

/** What stands at the base of a simulated station that has these models, with the register of each model's id. */
export function layOutChain(lengths: ReadonlyMap<number, number>): {
  readonly words: ReadonlyMap<number, number>;
  readonly models: ReadonlyMap<number, number>;
} {
  const [base] = BASES;
  const words = new Map<number, number>(MARKER.map((word, index) => [base + index, word]));
  const models = new Map<number, number>();
  let at = base + MARKER.length;
  for (const [model, length] of lengths) {
    models.set(model, at);
    words.set(at, model).set(at + 1, length);
    for (let index = 0; index < length; index++) words.set(at + 2 + index, 0);
    at += 2 + length;
  }
  words.set(at, END_MODEL).set(at + 1, 0);
  return { words, models };
}
