import type { Clock } from "causeway/adapter";

/** Reads holding registers of one station; undefined when it refuses. Rejects with FIELD_* or LINK_*. */
export type ReadWords = (register: number, count: number) => Promise<readonly number[] | undefined>;

/** Register of the id of each model that a station has, by model. */
type Chain = ReadonlyMap<number, number>;

/** Where the marker may stand (SunSpec Device Information Model Specification §6.2). */
const BASES = [40_000, 50_000, 0] as const;
/** "SunS". */
const MARKER = [0x5375, 0x6e53] as const;
const END_MODEL = 0xffff;
const MAX_MODELS = 64;
/** A station without a marker may still be starting. */
const LOOK_AGAIN_MS = 600_000;

interface Kept {
  readonly chain: Chain;
  readonly untilMs: number;
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
    const chain = kept !== undefined && kept.untilMs > nowMs ? kept.chain : await readChain(read);
    const untilMs = chain.size > 0 ? Number.POSITIVE_INFINITY : nowMs + LOOK_AGAIN_MS;
    if (chain !== kept?.chain) this.#kept.set(unit, { chain, untilMs });
    const model = models.find((one) => chain.has(one));
    return model === undefined ? undefined : chain.get(model);
  }
}

/** Each model is its id, the count of registers that follow, and these; the first of a kind counts. */
export async function readChain(read: ReadWords): Promise<Chain> {
  const chain = new Map<number, number>();
  for (const base of BASES) {
    const marker = await read(base, MARKER.length);
    if (!MARKER.every((word, index) => marker?.[index] === word)) continue;
    let at = base + MARKER.length;
    for (let count = 0; count < MAX_MODELS && at < 65535; count++) {
      const [model, length] = (await read(at, 2)) ?? [];
      if (model === undefined || length === undefined || model === END_MODEL) break;
      if (!chain.has(model)) chain.set(model, at);
      at += 2 + length;
    }
    return chain;
  }
  return chain;
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
