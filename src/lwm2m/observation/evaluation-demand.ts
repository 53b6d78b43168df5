import type { Attributes } from "./attributes.js";

/** How often servers want a resource to be measured, at least and at most (epmin and epmax). */
export interface EvaluationDemand {
  /** Nobody wants it sooner; 0 as soon as one observer does not say. */
  readonly minMs: number;
  /** Somebody wants it by then; infinite when nobody says. */
  readonly maxMs: number;
}

/** What one observation asks for by its attributes. An epmax of 0 counts as absent. */
export function demandOf({ epmin = 0, epmax = 0 }: Attributes): EvaluationDemand {
  return { minMs: epmin * 1000, maxMs: epmax === 0 ? Number.POSITIVE_INFINITY : epmax * 1000 };
}

/** What several ask for together: nobody waits longer than he would alone. Undefined when nobody asks. */
export function jointDemand(demands: Iterable<EvaluationDemand | undefined>): EvaluationDemand | undefined {
  let joint: EvaluationDemand | undefined;
  for (const one of demands) {
    if (one === undefined) continue;
    joint =
      joint === undefined ? one : { minMs: Math.min(joint.minMs, one.minMs), maxMs: Math.min(joint.maxMs, one.maxMs) };
  }
  return joint;
}

/** Whether the attributes ask for anything at all. */
export function isDemanding({ epmin = 0, epmax = 0 }: Attributes): boolean {
  return epmin > 0 || epmax > 0;
}
