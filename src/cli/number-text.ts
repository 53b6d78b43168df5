/** Digits that a float32 is worth, and more than any measurement is. */
const FLOAT32_DIGITS = 7;
const FLOAT64_DIGITS = 9;

/** A value for people: whole numbers as they are, others without the digits that only binary fractions bring. */
export function numberText(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const digits = Math.fround(value) === value ? FLOAT32_DIGITS : FLOAT64_DIGITS;
  return String(Number(value.toPrecision(digits)));
}
