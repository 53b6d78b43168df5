import { object } from "../base/object-schema.js";
import {
  durationMs,
  type Infer,
  integer,
  list,
  located,
  map,
  record,
  refine,
  type Schema,
  string,
  union,
} from "../base/schema.js";
import type { Located } from "../base/source.js";
import { MAX_ID } from "../lwm2m/path.js";
import { parameterSection } from "./parameters.js";
import { bounds, plain } from "./point-schema.js";

const literalValue = object({ value: plain });

/** The name of a point, or `{ value: … }` for what never changes. */
export const resourceSource = union(string, literalValue);

export const objectSection = object({
  object: located(integer(0, MAX_ID)),
  resources: record(located(resourceSource)),
});

/** Kept as it stands, to be read with the adapter's schema. */
const unread: Schema<Located> = { json: { type: "object" }, read: (source) => source };

/** First and last register. */
const registers = refine(bounds, (range) =>
  range.every((register) => Number.isInteger(register) && register >= 0 && register <= 65536)
    ? undefined
    : "expected two registers, [first, last]",
);

const limits = object(
  {},
  {
    maxRegisters: integer(1, 2000),
    maxBits: integer(1, 2000),
    maxGap: integer(0, 2000),
    never: list(registers),
    fourBytes: list(registers),
  },
);
const timing = object(
  {},
  { responseTimeout: durationMs, requestGap: durationMs, afterConnect: durationMs, silence: durationMs },
);

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

/** What a mapping file may have besides; `setup`, `probe` and `protocol` are read with the schemas of the adapter. */
export const profileOptions = {
  source: string,
  addressBase: map(integer(0, 1), (base): 0 | 1 => (base === 1 ? 1 : 0)),
  limits,
  timing,
  setup: list(unread),
  probe: list(unread),
  verify: record(located(bounds)),
  protocol: unread,
  parameters: parameterSection,
  replaces: list(string),
  deprecated: string,
  caveats: list(string),
};

/** A mapping file; `points` is read with the schema of the adapter that `adapter` names. */
export const profileFile = object(profileHead, profileOptions);

export type ProfileFile = Infer<typeof profileFile>;
