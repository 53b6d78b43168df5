import { putByteValue, type Scalar } from "causeway/adapter";
import { numberFormat, sizeOfType, type ValueFormat, writeValue } from "../value-format.js";

/**
 * A copy of the bytes with a value in it, longer where the value needs that; text and bytes end it. Throws VALUE_INVALID
 * when the format cannot hold the value.
 */
export function withValue(
  bytes: Uint8Array,
  byte: number,
  value: Scalar,
  format: ValueFormat,
  point: string,
): Uint8Array {
  const own = writeValue(value, format, point);
  const endsIt = sizeOfType(format.type) === undefined;
  const end = byte + own.length;
  const placed = new Uint8Array(endsIt ? end : Math.max(bytes.length, end));
  placed.set(bytes.subarray(0, placed.length));
  const number = numberFormat(format);
  if (number === undefined) placed.set(own, byte);
  else putByteValue(placed, byte, value, number);
  return placed;
}

/** How many bytes the places need that have a size of their own. */
export function bytesNeeded(places: readonly { readonly byte: number; readonly format: ValueFormat }[]): number {
  return Math.max(0, ...places.map(({ byte, format }) => byte + (sizeOfType(format.type) ?? 0)));
}
