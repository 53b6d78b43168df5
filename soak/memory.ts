/** Growth between the second and the last quarter of the samples, by their medians: 0.1 is ten percent. */
export function memoryGrowth(samplesMb: readonly number[]): number {
  const quarter = Math.floor(samplesMb.length / 4);
  const early = median(samplesMb.slice(quarter, 2 * quarter));
  const late = median(samplesMb.slice(-quarter));
  return early === 0 ? 0 : Math.round(1000 * (late / early - 1)) / 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
