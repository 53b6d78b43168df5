/** The value of an IEEE 754 half-precision number (RFC 8949 Appendix D). */
export function halfToNumber(half: number): number {
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The half-precision number that is exactly `value`, if there is one; every NaN becomes the canonical one. */
export function exactHalf(value: number): number | undefined {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  if (size > 65504) return undefined;
  if (size < 2 ** -14) {
    const fraction = size * 2 ** 24;
    return Number.isInteger(fraction) ? sign | fraction : undefined;
  }
  // At least 1 and below 2^30, so that whole-number arithmetic finds the exponent.
  const scaled = size * 2 ** 14;
  const magnitude = 31 - Math.clz32(scaled);
  const fraction = (scaled * 1024) / (1 << magnitude) - 1024;
  return Number.isInteger(fraction) ? sign | ((magnitude + 1) << 10) | fraction : undefined;
}
