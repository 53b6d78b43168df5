import { CausewayError, type Scalar } from "causeway/adapter";

const EXPONENT = 0x3f;
const NEGATIVE_EXPONENT = 0x40;
const NEGATIVE = 0x80;
const MANTISSA_BYTES = 4;
/** Of what is written; more digits than a mantissa of four bytes has. */
const MOST_DECIMALS = 10;

/**
 * A decimal number of Kamstrup's KMP: a byte with the length of the mantissa, one with both signs and the exponent of ten,
 * the mantissa, most significant byte first. RangeError when the bytes end too soon.
 */
export function decodeDecimal(bytes: Uint8Array, offset: number): number {
  const [length = 0, signs = 0] = bytes.subarray(offset, offset + 2);
  const from = offset + 2;
  if (length === 0 || from + length > bytes.length) throw new RangeError("the bytes end within a value");
  const mantissa = bytes.subarray(from, from + length).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const exponent = (signs & NEGATIVE_EXPONENT) === 0 ? signs & EXPONENT : -(signs & EXPONENT);
  // By its digits, so that 314131e-3 is 314.131 and nothing beside it.
  return Number(`${(signs & NEGATIVE) === 0 ? "" : "-"}${mantissa}e${exponent}`);
}

/** With a mantissa of four bytes; throws VALUE_INVALID for what does not fit there. */
export function encodeDecimal(value: Scalar): Uint8Array {
  const number = Number(value);
  for (let decimals = 0; decimals <= MOST_DECIMALS; decimals++) {
    const mantissa = Math.round(Math.abs(number) * 10 ** decimals);
    if (mantissa >= 2 ** (8 * MANTISSA_BYTES)) break;
    if (Number(`${mantissa}e-${decimals}`) !== Math.abs(number)) continue;
    const bytes = new Uint8Array(2 + MANTISSA_BYTES);
    const exponent = decimals === 0 ? 0 : NEGATIVE_EXPONENT | decimals;
    bytes.set([MANTISSA_BYTES, (number < 0 ? NEGATIVE : 0) | exponent]);
    new DataView(bytes.buffer).setUint32(2, mantissa);
    return bytes;
  }
  throw new CausewayError("VALUE_INVALID", `${String(value)} has more digits than a mantissa of four bytes`);
}
