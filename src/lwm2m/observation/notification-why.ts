import { formatPath, type Path } from "../path.js";
import type { Value } from "../value.js";
import type { TreeView } from "../views.js";
import type { NotificationReason, NotificationRule } from "../why.js";
import { type Decision, ruleOf } from "./observation.js";
import { isWithinPmin, keyOf, type Observation, type ObservedPath } from "./observed.js";

/** A value that has come for an observation; `nowMs` is monotonic. */
interface Arrived {
  readonly part: ObservedPath;
  readonly view: TreeView;
  readonly path: Path;
  readonly value: Value;
  readonly nowMs: number;
}

/** Whether notifications can go to the server at all. */
type ServerState = "running" | "paused";

/** What `decide` has decided, and by which rule. */
export function decisionReason(arrived: Arrived, decision: Decision, server: ServerState): NotificationReason {
  const { nowMs } = arrived;
  const base = { ...placeOf(arrived), rule: ruleOfArrival(arrived) };
  if (decision.send === "no") return { ...base, verdict: "not sent" };
  if (decision.send === "now") {
    const rule = base.rule === "unchanged" ? "pmax" : base.rule;
    return server === "paused"
      ? { ...base, rule, verdict: "waits", waitsFor: "server" }
      : { ...base, rule, verdict: "due" };
  }
  const waitsFor = decision.because === "change" ? "pmin" : "pmax";
  return { ...base, verdict: waitsFor === "pmin" ? "waits" : "not sent", waitsFor, waitMs: decision.ms - nowMs };
}

/** What becomes of a value while an earlier one is on its way or waits. */
export function heldReason(arrived: Arrived, server: ServerState): NotificationReason {
  const { part, nowMs } = arrived;
  const { observation } = part;
  const base = { ...placeOf(arrived), rule: ruleOfArrival(arrived) };
  if (base.rule === "unchanged") return { ...base, verdict: "not sent" };
  if (server === "paused") return { ...base, verdict: "waits", waitsFor: "server" };
  if (!isWithinPmin(observation, nowMs)) return { ...base, verdict: "waits", waitsFor: "delivery" };
  const pminEndMs = observation.sentMs + (observation.attributes.pmin ?? 0) * 1000;
  return { ...base, verdict: "waits", waitsFor: "pmin", waitMs: pminEndMs - nowMs };
}

/** It is evaluated only when epmin is over. */
export function pacedReason(arrived: Arrived, waitMs: number): NotificationReason {
  return { ...placeOf(arrived), rule: ruleOfArrival(arrived), verdict: "waits", waitsFor: "epmin", waitMs };
}

/** Just before it is made; `wanted` is how, but for the one that is due each day. */
export function sentReason(
  observation: Observation,
  wanted: "CON" | "NON",
  delivery: "CON" | "NON",
): NotificationReason {
  const { view, target, pending, attributes, sent } = observation;
  const rule = (): NotificationRule => {
    if (pending === undefined) return "pmax";
    if (pending === "everything") return "structure";
    // Of several resources it was said before which of them changed.
    if (target.length < 3) return "change";
    return ruleOf(attributes, sent.get(keyOf(observation, target, view.prefix)), pending.value);
  };
  const isAsked = delivery === "NON" || observation.delivery === "CON";
  const confirms = isAsked ? {} : ({ confirms: wanted === "CON" ? "server" : "day" } as const);
  return { what: "notification", observed: nameOf(view, target), verdict: "sent", rule: rule(), delivery, ...confirms };
}

/** Stored values, or that the target is gone or cannot be read any more. */
export function apartReason({ view, target }: Observation, rule: "stored" | "ended"): NotificationReason {
  return { what: "notification", observed: nameOf(view, target), verdict: "sent", rule, delivery: "CON" };
}

function placeOf({ part, view, path }: Arrived) {
  const { observation } = part;
  const observed = nameOf(observation.view, observation.target);
  return { what: "notification", observed, path: nameOf(view, path) } as const;
}

function ruleOfArrival({ part, view, path, value }: Arrived) {
  return ruleOf(part.attributes, part.observation.sent.get(keyOf(part.observation, path, view.prefix)), value);
}

function nameOf({ prefix }: TreeView, path: Path): string {
  return prefix === undefined ? formatPath(path) : `/${prefix}${formatPath(path)}`;
}
