import { CausewayError } from "../../base/errors.js";
import type { ResourceModel } from "../model/model.js";
import { formatPath, type Path } from "../path.js";
import type { Json } from "../state/client-state.js";

/**
 * The <NOTIFICATION> attributes of OMA LwM2M Core 1.2 §7.3.2. Periods are seconds; `edge` is 0 falling, 1 rising; `con`
 * is 0 or 1; `hqmax` counts entries.
 */
export const ATTRIBUTE_NAMES = ["pmin", "pmax", "gt", "lt", "st", "epmin", "epmax", "edge", "con", "hqmax"] as const;

export type AttributeName = (typeof ATTRIBUTE_NAMES)[number];
export type Attributes = Readonly<Partial<Record<AttributeName, number>>>;
/** What a Write-Attributes asks for; `null` unsets. */
export type AttributeChange = Readonly<Partial<Record<AttributeName, number | null>>>;

export const NO_ATTRIBUTES: Attributes = {};

const WHOLE = /^\d+$/;
const BIT = /^[01]$/;
// The grammar of Table 7.3.2-1 has no sign; thresholds below zero make sense all the same.
const DECIMAL = /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/;

const SYNTAX: Readonly<Record<AttributeName, RegExp>> = {
  pmin: WHOLE,
  pmax: WHOLE,
  gt: DECIMAL,
  lt: DECIMAL,
  st: DECIMAL,
  epmin: WHOLE,
  epmax: WHOLE,
  edge: BIT,
  con: BIT,
  hqmax: WHOLE,
};

const NUMERIC_TYPES: ReadonlySet<string | undefined> = new Set(["integer", "unsigned", "float", "time"]);

/** Reads Uri-Query options such as `pmin=10` or `pmin`; throws LWM2M_BAD_REQUEST on unknown, repeated or malformed ones. */
export function parseAttributes(query: readonly string[]): AttributeChange {
  const change: Partial<Record<AttributeName, number | null>> = {};
  for (const option of query) {
    const [key = "", value] = splitOnce(option);
    const name = ATTRIBUTE_NAMES.find((known) => known === key);
    if (name === undefined) throw bad(`unknown attribute '${key}'`);
    if (name in change) throw bad(`attribute '${name}' occurs twice`);
    if (value !== undefined && !SYNTAX[name].test(value)) throw bad(`'${option}' is not a valid attribute`);
    const number = value === undefined ? null : Number(value);
    if (number !== null && !Number.isFinite(number)) throw bad(`'${option}' is out of range`);
    change[name] = number;
  }
  return change;
}

/** The attached attributes after the change; throws LWM2M_BAD_REQUEST when they contradict each other. */
export function mergeAttributes(attached: Attributes, change: AttributeChange): Attributes {
  const merged: Partial<Record<AttributeName, number>> = {};
  for (const name of ATTRIBUTE_NAMES) {
    const value = change[name] === undefined ? attached[name] : change[name];
    if (value !== undefined && value !== null) merged[name] = value;
  }
  checkConsistent(merged);
  return merged;
}

/** OMA LwM2M Core 1.2 §7.3.2; a pmax below pmin is no error, it is ignored. */
export function checkConsistent({ gt, lt, st, epmin, epmax }: Attributes): void {
  if (st !== undefined && st < 0) throw bad("st is negative");
  if (gt !== undefined && lt !== undefined && lt + 2 * (st ?? 0) >= gt) throw bad("lt + 2·st must be less than gt");
  if (epmin !== undefined && epmax !== undefined && epmin >= epmax) throw bad("epmin must be less than epmax");
}

/**
 * Whether the attributes may stand at the path; `resource` is what the path names, from resource level downwards. The
 * root stands for an Observe-Composite (OMA LwM2M Core 1.2 §6.4.4).
 */
export function checkApplicable(change: AttributeChange, path: Path, resource: ResourceModel | undefined): void {
  if (resource !== undefined && !resource.operations.includes("R")) {
    throw bad(`${formatPath(path)} cannot be read, so it cannot be observed`);
  }
  for (const name of ["gt", "lt", "st"] as const) {
    if (typeof change[name] !== "number") continue;
    if (!NUMERIC_TYPES.has(resource?.type)) throw bad(`${name} is for numeric resources, ${formatPath(path)} is none`);
  }
  if (change.hqmax !== undefined && path.length === 0) throw bad("hqmax is for single paths");
  if (typeof change.edge === "number" && resource?.type !== "boolean") {
    throw bad(`edge is for Boolean resources, ${formatPath(path)} is none`);
  }
}

/** As link parameters, each with its semicolon: `;pmin=10;pmax=60`. */
export function formatAttributes(attributes: Attributes): string {
  let text = "";
  for (const name of ATTRIBUTE_NAMES) {
    const value = attributes[name];
    if (value !== undefined) text += `;${name}=${value}`;
  }
  return text;
}

/** As attributes are kept on disk; throws STATE_INVALID when they are none, or contradict each other. */
export function attributesOfJson(json: Json): Attributes {
  const change: Partial<Record<AttributeName, number>> = {};
  for (const [key, value] of Object.entries(json ?? {})) {
    const name = ATTRIBUTE_NAMES.find((known) => known === key);
    if (name === undefined || typeof value !== "number" || !SYNTAX[name].test(String(value))) {
      throw new CausewayError("STATE_INVALID", `what was kept is no attribute: ${key}`);
    }
    change[name] = value;
  }
  return mergeAttributes(NO_ATTRIBUTES, change);
}

function splitOnce(option: string): [string, string?] {
  const at = option.indexOf("=");
  return at < 0 ? [option] : [option.slice(0, at), option.slice(at + 1)];
}

function bad(what: string): CausewayError {
  return new CausewayError("LWM2M_BAD_REQUEST", what);
}
