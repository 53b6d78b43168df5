import type { Quality } from "../field/reading.js";

/** What IPSO's 6042 (indicator, 0 to 4) and 6049 (level, 0 to 100) say of a value. */
export interface IpsoQuality {
  readonly indicator: number;
  readonly level: number;
}

/**
 * 6042: 0 unchecked, 1 rejected with certainty, 2 rejected with probability, 3 accepted but suspicious, 4 accepted.
 * The resource keeps the last good value, so a fault of the line makes it older, not wrong: suspicious. A value that
 * the device refuses or disowns is rejected.
 */
const IPSO: Readonly<Record<Quality, IpsoQuality>> = {
  good: { indicator: 4, level: 100 },
  manual: { indicator: 4, level: 100 },
  stale: { indicator: 3, level: 50 },
  timeout: { indicator: 3, level: 25 },
  crc: { indicator: 3, level: 25 },
  exception: { indicator: 2, level: 10 },
  "out-of-range": { indicator: 2, level: 10 },
  invalid: { indicator: 1, level: 0 },
  unsupported: { indicator: 1, level: 0 },
  "never-read": { indicator: 0, level: 0 },
};

export function ipsoQuality(quality: Quality): IpsoQuality {
  return IPSO[quality];
}
