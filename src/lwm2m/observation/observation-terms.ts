import type { Path } from "../path.js";
import { ATTRIBUTE_NAMES, type AttributeName, type Attributes } from "./attributes.js";

/** What holds where no attribute says otherwise: /1/x/2, /1/x/3, /1/x/26. */
export interface ObservationDefaults {
  readonly pmin?: number;
  readonly pmax?: number;
  readonly delivery: "CON" | "NON";
}

/** What is attached to paths, by Write-Attributes. */
export interface AttachedAttributes {
  effective(path: Path): Attributes;
  wantsConBelow(path: Path): boolean;
}

export interface AttributedPath {
  readonly path: Path;
  readonly view: { readonly attributes: AttachedAttributes };
}

export interface ObservationScope {
  /** The path of an Observe, the root of an Observe-Composite. */
  readonly target: Path;
  /** The target, or what an Observe-Composite names. */
  readonly paths: readonly AttributedPath[];
  /** Attributes of the request itself (OMA LwM2M Core 1.2 §6.4.1, §6.4.4). */
  readonly own: Attributes | undefined;
}

/** What an observation goes by. */
export interface ObservationTerms {
  /** By path, in the scope's order. Their periods are those of the whole. */
  readonly each: readonly Attributes[];
  readonly whole: Attributes;
  readonly delivery: "CON" | "NON";
}

/** What may stand on an object, and so in an Observe-Composite, whose own attributes take its place. */
const OBJECT_LEVEL: ReadonlySet<AttributeName> = new Set(["pmin", "pmax", "epmin", "epmax", "con"]);

/**
 * Attributes of an Observe replace all that is attached to its path; those of an Observe-Composite leave the conditions
 * of each path (OMA LwM2M Core 1.2 §6.4.1, §6.4.4).
 */
export function termsOf(scope: ObservationScope, defaults: ObservationDefaults): ObservationTerms {
  const { target, paths, own } = scope;
  const { pmin, pmax } = defaults;
  const base: Attributes = { ...(pmin === undefined ? {} : { pmin }), ...(pmax === undefined ? {} : { pmax }) };
  const delivery = (each: readonly Attributes[]): "CON" | "NON" => {
    if (each.some(({ con }) => con === 1)) return "CON";
    if (own === undefined && paths.some(({ path, view }) => view.attributes.wantsConBelow(path))) return "CON";
    return each.length > 0 && each.every(({ con }) => con === 0) ? "NON" : defaults.delivery;
  };
  if (target.length > 0) {
    const whole = { ...base, ...(own ?? paths[0]?.view.attributes.effective(target)) };
    return { each: [whole], whole, delivery: delivery([whole]) };
  }
  const separate = paths.map(({ path, view }) => {
    const effective = view.attributes.effective(path);
    return { ...base, ...(own === undefined ? effective : { ...conditionsOf(effective), ...own }) };
  });
  const whole = jointPeriods(separate.length > 0 ? separate : [base]);
  return { each: separate.map((one) => ({ ...one, ...whole })), whole, delivery: delivery(separate) };
}

function conditionsOf(attributes: Attributes): Attributes {
  const conditions: Partial<Record<AttributeName, number>> = {};
  for (const name of ATTRIBUTE_NAMES) {
    const value = attributes[name];
    if (value !== undefined && !OBJECT_LEVEL.has(name)) conditions[name] = value;
  }
  return conditions;
}

/** The longest pmin and the shortest pmax; one notification tells of all paths, so both hold for all of them. */
function jointPeriods(each: readonly Attributes[]): Attributes {
  const pmin = Math.max(...each.map((one) => one.pmin ?? 0));
  const pmax = Math.min(...each.map((one) => pmaxOf(one)));
  return { pmin, pmax: Number.isFinite(pmax) ? pmax : 0 };
}

/** A pmax of 0 or below pmin counts as absent (OMA LwM2M Core 1.2 §7.3.2). */
function pmaxOf({ pmin = 0, pmax = 0 }: Attributes): number {
  return pmax === 0 || pmax < pmin ? Number.POSITIVE_INFINITY : pmax;
}
