import { joinObjects, type ObjectSchema, object } from "../base/object-schema.js";
import {
  boolean,
  childPath,
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
import { type Curve, curveProblem } from "./curve.js";
import { type Expression, parseExpression } from "./expression/expression.js";
import type { Report } from "./report.js";
import { type ValueMap, valueMapOf } from "./value-map.js";

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
const positive = refine(number(0), (value) => (value > 0 ? undefined : "expected a number above 0"));

export const plain: Schema<string | number | boolean> = union(union(string, number()), boolean);

const words = record(plain);

/** Raw values to words: `1`, `10..19`, `default`. */
const valueMap: Schema<ValueMap> = {
  json: words.json,
  read(source, path, problems) {
    const read = words.read(source, path, problems);
    if (read === undefined) return undefined;
    const result = valueMapOf(read);
    if ("exact" in result) return result;
    const entry = source.kind === "map" ? source.entries.find(({ key }) => key === result.key) : undefined;
    problems.add(entry?.keyAt ?? source.at, childPath(path, result.key), result.what);
    return undefined;
  },
};

const curve: Schema<Curve> = refine(
  list(
    map(
      refine(list(number()), (pair) => (pair.length === 2 ? undefined : "expected two numbers, [raw, value]")),
      ([raw = 0, value = 0]): readonly [number, number] => [raw, value],
    ),
  ),
  curveProblem,
);

/** A formula; its names are checked when all points are known. A parameter alone may be a number or a switch. */
const expression: Schema<Expression> = {
  json: string.json,
  read(source, path, problems) {
    const given = plain.read(source, path, problems);
    if (given === undefined) return undefined;
    const text = String(given);
    const parsed = parseExpression(text);
    if ("evaluate" in parsed) return parsed;
    const place = parsed.offset >= text.length ? "at its end" : `at '${text.slice(parsed.offset, parsed.offset + 12)}'`;
    problems.add(source.at, path, `${parsed.what}, ${place} of '${text}'`, parsed.hint);
    return undefined;
  },
};

const power: Schema<number> = {
  json: {
    anyOf: [
      { type: "number", exclusiveMinimum: 0 },
      { type: "string", pattern: "^2\\^\\d+$" },
    ],
  },
  read(source, path, problems) {
    const { value } = source.kind === "scalar" ? source : { value: undefined };
    const exponent = typeof value === "string" ? /^2\^(\d+)$/.exec(value)?.[1] : undefined;
    const size = exponent === undefined ? value : 2 ** Number(exponent);
    if (typeof size === "number" && size > 1 && size <= 2 ** 53) return size;
    problems.add(source.at, path, "expected a number of counts up to 2^53, such as 2^32 or 100000000");
    return undefined;
  },
};

/** Local filter of what is reported; the same in a profile and at a device. */
export const reportSection: Schema<Report> = map(
  object({}, { deadband: number(0), heartbeat: durationMs, minInterval: durationMs }),
  ({ deadband, heartbeat, minInterval }): Report => ({
    ...(deadband === undefined ? {} : { deadband }),
    ...(heartbeat === undefined ? {} : { heartbeatMs: heartbeat }),
    ...(minInterval === undefined ? {} : { minIntervalMs: minInterval }),
  }),
);

/** What any value may say of itself, wherever it is from. */
const datumKeys = {
  unit: string,
  scale: notZero,
  offset: number(),
  decimals: integer(0, 12),
  kind: oneOf("gauge", "counter"),
  rollover: located(power),
  onReset: located(oneOf("follow", "continue")),
  map: valueMap,
  curve: located(curve),
  valid: bounds,
  report: reportSection,
  when: located(expression),
  note: string,
};

const scaleMap = object({ point: string }, { map: record(notZero) });
const scaleFrom = map(union(string, scaleMap), (from) => (typeof from === "string" ? { point: from } : from));
const unitFrom = object({ point: string, map: record(string) });

/** What a point of any adapter may say; the adapter's own keys (`at`, `type` …) are joined to it. */
export const commonPoint = object(
  {},
  {
    ...datumKeys,
    every: oneOf("fast", "normal", "slow", "once"),
    access: oneOf("r", "w", "rw"),
    invalid: list(number()),
    step: positive,
    scaleFrom: located(scaleFrom),
    unitFrom: located(unitFrom),
  },
);

export type CommonPoint = Infer<typeof commonPoint>;

/** A point that the device does not have: it is reckoned from others. */
export const derivedPoint = object({ expr: located(expression) }, datumKeys);

export type DerivedSection = Infer<typeof derivedPoint>;

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
