/** Local filter between the field and the tree; the servers' own attributes come on top. */
export interface Report {
  /** Changes of a number up to this much are not reported. */
  readonly deadband?: number;
  /** An unchanged value is reported again after this time. */
  readonly heartbeatMs?: number;
}

export interface Reported {
  readonly value: unknown;
  readonly atMs: number;
}

/** Whether a value passes, given the one that passed before. Without a filter everything does. */
export function passes(report: Report | undefined, last: Reported | undefined, value: unknown, atMs: number): boolean {
  if (report === undefined || last === undefined) return true;
  if (report.heartbeatMs !== undefined && atMs - last.atMs >= report.heartbeatMs) return true;
  if (typeof value === "number" && typeof last.value === "number") {
    return Math.abs(value - last.value) > (report.deadband ?? 0);
  }
  return value !== last.value;
}
