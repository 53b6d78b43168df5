export const WAVES = ["sine", "square", "ramp", "constant", "random"] as const;

export interface Wave {
  readonly wave: (typeof WAVES)[number];
  readonly min: number;
  readonly max: number;
  readonly periodMs: number;
}

/** The value of a wave at a time; the same for the same name and time, also `random`, which holds for a period. */
export function waveValue({ wave, min, max, periodMs }: Wave, name: string, nowMs: number): number {
  const share = (nowMs % periodMs) / periodMs;
  switch (wave) {
    case "sine":
      return min + ((max - min) * (1 + Math.sin(2 * Math.PI * share))) / 2;
    case "square":
      return share < 0.5 ? max : min;
    case "ramp":
      return min + (max - min) * share;
    case "constant":
      return min;
    case "random":
      return min + (max - min) * noise(name, Math.floor(nowMs / periodMs));
  }
}

/** 0 ≤ x < 1, by mixing the name's letters and the number of the period. */
function noise(name: string, step: number): number {
  let hash = step | 0;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x5bd1e995);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}
