/** Points of a line of straight pieces, `[raw, value]`, by raw value ascending; two at least. */
export type Curve = readonly (readonly [raw: number, value: number])[];

/** What is wrong with the points; undefined when they make a curve. */
export function curveProblem(curve: Curve): string | undefined {
  if (curve.length < 2) return "a curve has two points at least";
  const step = curve.findIndex(([raw], index) => index > 0 && raw <= (curve[index - 1]?.[0] ?? raw));
  return step < 0 ? undefined : `the raw value ${curve[step]?.[0]} does not lie above the one before`;
}

/** Whether each value belongs to one raw value only, so that values can be written. */
export function isReversible(curve: Curve): boolean {
  const steps = curve.slice(1).map(([, value], index) => Math.sign(value - (curve[index]?.[1] ?? value)));
  return steps.every((step) => step !== 0 && step === steps[0]);
}

/** Linear between the points; undefined beyond their ends. */
export function valueOnCurve(curve: Curve, raw: number): number | undefined {
  for (const [index, [right, high]] of curve.entries()) {
    if (raw > right) continue;
    const [left, low] = curve[index - 1] ?? [right, high];
    if (raw < left) return undefined;
    return left === right ? high : low + ((raw - left) * (high - low)) / (right - left);
  }
  return undefined;
}

/** The raw value that gives `value` on a reversible curve; undefined beyond its ends. */
export function rawOnCurve(curve: Curve, value: number): number | undefined {
  const mirrored = curve.map(([raw, own]): readonly [number, number] => [own, raw]);
  return valueOnCurve(
    mirrored.sort(([a], [b]) => a - b),
    value,
  );
}
