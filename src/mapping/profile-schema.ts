import { joinObjects, type ObjectSchema, object } from "../base/object-schema.js";
import {
  boolean,
  durationMs,
  type Infer,
  integer,
  list,
  located,
  map,
  number,
  oneOf,
  record,
  refine,
  type Schema,
  string,
  union,
} from "../base/schema.js";
import type { Located } from "../base/source.js";
import { MAX_ID } from "../lwm2m/path.js";

/** `[min, max]`, inclusive. */
const bounds: Schema<readonly [number, number]> = map(
  refine(list(number()), (pair) => {
    const [min, max] = pair;
    if (pair.length !== 2 || min === undefined || max === undefined) return "expected two numbers, [min, max]";
    return min <= max ? undefined : `the lower bound ${min} is above the upper bound ${max}`;
  }),
  ([min = 0, max = 0]): readonly [number, number] => [min, max],
);

const notZero = refine(number(), (value) => (value === 0 ? "a scale of 0 would lose the value" : undefined));

const plain: Schema<string | number | boolean> = union(union(string, number()), boolean);

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

const literalValue = object({ value: plain });

/** The name of a point, or `{ value: … }` for what never changes. */
export const resourceSource = union(string, literalValue);

export const objectSection = object({
  object: located(integer(0, MAX_ID)),
  resources: record(located(resourceSource)),
});

/** Kept as it stands, to be read with the adapter's schema. */
const unread: Schema<Located> = { json: { type: "object" }, read: (source) => source };

const limits = object({}, { maxRegisters: integer(1, 2000), maxGap: integer(0, 2000) });
const timing = object({}, { responseTimeout: durationMs, requestGap: durationMs, silence: durationMs });

/** What every mapping file has. */
export const profileHead = {
  profile: refine(string, (name) =>
    /^[a-z0-9][a-z0-9.-]*$/.test(name) ? undefined : "a profile's name has small letters, digits, '-' and '.' only",
  ),
  title: string,
  adapter: located(string),
  points: record(unread),
  objects: list(located(objectSection)),
};

/** What a mapping file may have besides; `protocol` is read with the schema of the adapter, too. */
export const profileOptions = {
  source: string,
  addressBase: map(integer(0, 1), (base): 0 | 1 => (base === 1 ? 1 : 0)),
  limits,
  timing,
  verify: record(located(bounds)),
  protocol: unread,
  caveats: list(string),
};

/** A mapping file; `points` is read with the schema of the adapter that `adapter` names. */
export const profileFile = object(profileHead, profileOptions);

export type ProfileFile = Infer<typeof profileFile>;

/** The keys of a point of the given adapter. */
export function pointSchemaOf(adapterPoint: ObjectSchema<unknown>): ObjectSchema<CommonPoint> {
  return joinObjects(adapterPoint, commonPoint);
}
