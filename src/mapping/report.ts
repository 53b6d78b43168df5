/** Local filter between the field and the tree; the servers' own attributes come on top. */
export interface Report {
  /** Changes of a number up to this much are not reported. */
  readonly deadband?: number;
  /** An unchanged value is reported again after this time. */
  readonly heartbeatMs?: number;
  /** Between two values that are reported; of what changes meanwhile the newest comes at its end. */
  readonly minIntervalMs?: number;
}

export interface Reported {
  readonly value: unknown;
  readonly atMs: number;
}

/** Milliseconds to wait until a value is reported, given the one before: 0 at once, undefined never. */
export function reportWaitMs(
  report: Report,
  last: Reported | undefined,
  value: unknown,
  atMs: number,
): number | undefined {
  if (last === undefined) return 0;
  const elapsedMs = atMs - last.atMs;
  // The clock was set back: nothing is known of the time between.
  if (elapsedMs < 0) return 0;
  if (!isNews(report, last, value, elapsedMs)) return undefined;
  return Math.max(0, (report.minIntervalMs ?? 0) - elapsedMs);
}

function isNews({ deadband = 0, heartbeatMs }: Report, last: Reported, value: unknown, elapsedMs: number): boolean {
  if (heartbeatMs !== undefined && elapsedMs >= heartbeatMs) return true;
  if (typeof value === "number" && typeof last.value === "number") return Math.abs(value - last.value) > deadband;
  return value !== last.value;
}

/** One by the other: what `own` does not say is as in `general`. */
export function joinReports(general: Report | undefined, own: Report | undefined): Report | undefined {
  return general === undefined || own === undefined ? (own ?? general) : { ...general, ...own };
}
