import { type Value, valuesEqual } from "../value.js";
import type { ChangeRule } from "../why.js";
import type { Attributes } from "./attributes.js";

/** What the server was last told; `atMs` is on the same clock as `nowMs` of `decide`. */
export interface LastSent {
  /** Undefined when the path had no value then. */
  readonly value: Value | undefined;
  readonly atMs: number;
}

export type Decision =
  | { readonly send: "now" }
  /** Nothing before `ms`; then the change that waits for pmin, or whatever the value is when pmax ends. */
  | { readonly send: "at"; readonly ms: number; readonly because: "change" | "pmax" }
  | { readonly send: "no" };

const NOW: Decision = { send: "now" };
const NO: Decision = { send: "no" };

/**
 * Whether and when to notify of `value` (OMA LwM2M Core 1.2 §6.4.2, §7.3.2). `attributes` are the effective ones of the
 * observed path, the server's defaults included.
 */
export function decide(attributes: Attributes, lastSent: LastSent, value: Value, nowMs: number): Decision {
  if (isTriggered(attributes, lastSent.value, value)) {
    const earliestMs = lastSent.atMs + (attributes.pmin ?? 0) * 1000;
    return nowMs >= earliestMs ? NOW : { send: "at", ms: earliestMs, because: "change" };
  }
  const latestMs = pmaxEndMs(attributes, lastSent.atMs);
  if (latestMs === undefined) return NO;
  return nowMs >= latestMs ? NOW : { send: "at", ms: latestMs, because: "pmax" };
}

/** When a notification is due even without a change; a pmax of 0 or below pmin counts as absent. */
export function pmaxEndMs({ pmin = 0, pmax = 0 }: Attributes, lastSentMs: number): number | undefined {
  return pmax === 0 || pmax < pmin ? undefined : lastSentMs + pmax * 1000;
}

/** Any change, or where conditions are set, one of them: gt or lt crossed either way, a step of st, an edge. */
export function isTriggered(attributes: Attributes, before: Value | undefined, value: Value): boolean {
  return ruleOf(attributes, before, value) !== "unchanged";
}

/** The condition by which the server is to be told, the first where there are several; `unchanged` when it is not. */
export function ruleOf(attributes: Attributes, before: Value | undefined, value: Value): ChangeRule {
  const { gt, lt, st, edge } = attributes;
  if (before === undefined) return "first";
  if (typeof value === "boolean") {
    if (value === before) return "unchanged";
    if (edge === undefined) return "change";
    return value === (edge === 1) ? "edge" : "unchanged";
  }
  const from = toNumber(before);
  const to = toNumber(value);
  const isFree = gt === undefined && lt === undefined && st === undefined;
  if (isFree || from === undefined || to === undefined) return valuesEqual(before, value) ? "unchanged" : "change";
  if (gt !== undefined && from > gt !== to > gt) return "gt";
  if (lt !== undefined && from < lt !== to < lt) return "lt";
  return st !== undefined && from !== to && Math.abs(to - from) >= st ? "st" : "unchanged";
}

/** A Boolean has gone the way that `edge` does not report: the next edge is seen from there. */
export function isOffEdge({ edge }: Attributes, before: Value | undefined, value: Value): boolean {
  return edge !== undefined && typeof value === "boolean" && value !== before && value !== (edge === 1);
}

function toNumber(value: Value): number | undefined {
  return typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_TRANSMIT_WAIT_MS = 93_000;

/** At least one confirmable notification in 24 hours proves that the server still wants them (RFC 7641 §4.5). */
export function deliveryOf(wanted: "CON" | "NON", lastConMs: number, nowMs: number): "CON" | "NON" {
  return wanted === "CON" || nowMs - lastConMs >= DAY_MS - MAX_TRANSMIT_WAIT_MS ? "CON" : "NON";
}
