import { joinObjects, type ObjectSchema, object } from "../base/object-schema.js";
import {
  boolean,
  type Infer,
  integer,
  list,
  map,
  number,
  oneOf,
  record,
  refine,
  type Schema,
  string,
  union,
} from "../base/schema.js";

/** `[min, max]`, inclusive. */
export const bounds: Schema<readonly [number, number]> = map(
  refine(list(number()), (pair) => {
    const [min, max] = pair;
    if (pair.length !== 2 || min === undefined || max === undefined) return "expected two numbers, [min, max]";
    return min <= max ? undefined : `the lower bound ${min} is above the upper bound ${max}`;
  }),
  ([min = 0, max = 0]): readonly [number, number] => [min, max],
);

const notZero = refine(number(), (value) => (value === 0 ? "a scale of 0 would lose the value" : undefined));

export const plain: Schema<string | number | boolean> = union(union(string, number()), boolean);

/** What a point of any adapter may say; the adapter's own keys (`at`, `type` …) are joined to it. */
export const commonPoint = object(
  {},
  {
    unit: string,
    scale: notZero,
    offset: number(),
    decimals: integer(0, 12),
    every: oneOf("fast", "normal", "slow", "once"),
    kind: oneOf("gauge", "counter"),
    access: oneOf("r", "w", "rw"),
    map: record(plain),
    invalid: list(number()),
    valid: bounds,
    note: string,
  },
);

export type CommonPoint = Infer<typeof commonPoint>;

/** The keys of a point of the given adapter. */
export function pointSchemaOf(adapterPoint: ObjectSchema<unknown>): ObjectSchema<CommonPoint> {
  return joinObjects(adapterPoint, commonPoint);
}

const setupItem = object({ value: plain }, { note: string });
const probeItem = object({}, { equals: plain, within: bounds, note: string });

export type ProbeItem = Infer<typeof probeItem>;

/** One entry of `setup`: where, in the adapter's keys, and what is written there. */
export function setupSchemaOf(adapterPoint: ObjectSchema<unknown>): ObjectSchema<Infer<typeof setupItem>> {
  return joinObjects(adapterPoint, setupItem);
}

/** One entry of `probe`: where, in the adapter's keys, and what must stand there. */
export function probeSchemaOf(adapterPoint: ObjectSchema<unknown>): ObjectSchema<ProbeItem> {
  return joinObjects(adapterPoint, probeItem);
}
