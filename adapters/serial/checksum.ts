import { NO_BYTES, toHex, utf8Encode } from "causeway/adapter";

export const CHECKSUM_TYPES = [
  "sum8",
  "sum16",
  "xor",
  "lrc",
  "crc16-modbus",
  "crc16-arc",
  "crc16-ccitt",
  "crc16-xmodem",
] as const;
export type ChecksumType = (typeof CHECKSUM_TYPES)[number];

/** Where a frame has its checksum, and what it covers. Negative positions count from the frame's end. */
export interface Checksum {
  /** `lrc` is the negative sum of the bytes; `xor` is also the block check character of IEC 62056-21. */
  readonly type: ChecksumType;
  /** First byte that is covered; 0 unless given. */
  readonly from?: number;
  /** First byte that is not covered any more; where the checksum begins unless given. */
  readonly to?: number;
  /** First byte of the checksum; it ends the frame unless given. */
  readonly at?: number;
  /** Bytes, or hexadecimal digits in ASCII; bytes unless given. */
  readonly format?: "bytes" | "hex";
  /** Of two bytes; little for crc16-modbus and crc16-arc in bytes, otherwise big unless given. */
  readonly order?: "big" | "little";
}

interface Crc {
  readonly start: number;
  readonly polynomial: number;
  readonly direction: "reflected" | "plain";
}

/** Names and parameters of the catalogue of parametrised CRC algorithms; ccitt is its CRC-16/CCITT-FALSE. */
const CRCS: Partial<Record<ChecksumType, Crc>> = {
  "crc16-modbus": { start: 0xffff, polynomial: 0xa001, direction: "reflected" },
  "crc16-arc": { start: 0, polynomial: 0xa001, direction: "reflected" },
  "crc16-ccitt": { start: 0xffff, polynomial: 0x1021, direction: "plain" },
  "crc16-xmodem": { start: 0, polynomial: 0x1021, direction: "plain" },
};

export function checksumOf(bytes: Uint8Array, type: ChecksumType): number {
  const crc = CRCS[type];
  if (crc !== undefined) return crc16(bytes, crc);
  if (type === "xor") return bytes.reduce((sum, byte) => sum ^ byte, 0);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  if (type === "sum16") return sum & 0xffff;
  return (type === "lrc" ? -sum : sum) & 0xff;
}

function crc16(bytes: Uint8Array, { start, polynomial, direction }: Crc): number {
  let crc = start;
  for (const byte of bytes) {
    crc ^= direction === "plain" ? byte << 8 : byte;
    for (let bit = 0; bit < 8; bit++) {
      if (direction === "plain") crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ polynomial;
      else crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial;
    }
    crc &= 0xffff;
  }
  return crc;
}

/** How the checksum of these bytes stands on the wire. */
export function checksumBytes(bytes: Uint8Array, { type, format = "bytes", order }: Checksum): Uint8Array {
  const value = checksumOf(bytes, type);
  const isWide = type === "sum16" || CRCS[type] !== undefined;
  const big = isWide ? Uint8Array.of(value >> 8, value & 0xff) : Uint8Array.of(value);
  if (format === "hex") return utf8Encode(toHex(big).toUpperCase());
  const usual = CRCS[type]?.direction === "reflected" ? "little" : "big";
  return (order ?? usual) === "little" ? big.reverse() : big;
}

/** Bytes that the checksum takes on the wire. */
export function checksumLength(checksum: Checksum): number {
  return checksumBytes(NO_BYTES, checksum).length;
}

export function isIntact(frame: Uint8Array, checksum: Checksum): boolean {
  const place = placeIn(frame, checksum);
  if (place === undefined) return false;
  const wanted = checksumBytes(frame.subarray(place.from, place.to), checksum);
  const found = frame.subarray(place.at, place.at + wanted.length);
  if (checksum.format !== "hex") return wanted.every((byte, index) => byte === found[index]);
  return String.fromCharCode(...found).toUpperCase() === String.fromCharCode(...wanted);
}

/** The frame with the right checksum at its place; as it is where the place is not within it. */
export function withChecksum(frame: Uint8Array, checksum: Checksum): Uint8Array {
  const place = placeIn(frame, checksum);
  const whole = frame.slice();
  if (place !== undefined) whole.set(checksumBytes(frame.subarray(place.from, place.to), checksum), place.at);
  return whole;
}

function placeIn(
  frame: Uint8Array,
  checksum: Checksum,
): { readonly from: number; readonly to: number; readonly at: number } | undefined {
  const length = checksumLength(checksum);
  const at = position(checksum.at ?? -length, frame);
  const from = position(checksum.from ?? 0, frame);
  const to = position(checksum.to ?? at, frame);
  return from < 0 || at < 0 || to < from || at + length > frame.length ? undefined : { from, to, at };
}

function position(place: number, { length }: Uint8Array): number {
  return place < 0 ? length + place : place;
}
