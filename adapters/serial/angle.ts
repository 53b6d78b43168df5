const HEMISPHERE = /^[NSEW]$/;
const HEMISPHERES = { latitude: ["N", "S"], longitude: ["E", "W"] } as const;
const ANGLE = /^(\d{1,3})(\d{2}(?:\.\d+)?)$/;
/** Of the minutes: a tenth of a millimetre. */
const DECIMALS = 7;
const UNITS_PER_DEGREE = 60 * 10 ** DECIMALS;

/** Degrees and minutes, `dddmm.mmmm`, with the hemisphere (NMEA 0183); undefined when it is none. */
export function decodeAngle(text: string, hemisphere: string): number | undefined {
  const match = ANGLE.exec(text);
  if (match === null || !HEMISPHERE.test(hemisphere)) return undefined;
  const degrees = Number(match[1]) + Number(match[2]) / 60;
  return hemisphere === "S" || hemisphere === "W" ? -degrees : degrees;
}

export type AngleKind = "latitude" | "longitude";

/** What `decodeAngle` takes. */
export function encodeAngle(value: number, kind: AngleKind): readonly [text: string, hemisphere: string] {
  const units = Math.round(Math.abs(value) * UNITS_PER_DEGREE);
  const degrees = Math.floor(units / UNITS_PER_DEGREE);
  const minutes = ((units - degrees * UNITS_PER_DEGREE) / 10 ** DECIMALS).toFixed(DECIMALS);
  const text = `${String(degrees).padStart(kind === "latitude" ? 2 : 3, "0")}${minutes.padStart(DECIMALS + 3, "0")}`;
  return [text, HEMISPHERES[kind][value < 0 ? 1 : 0]];
}
