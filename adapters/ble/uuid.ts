/** Bluetooth Core 5.4 vol 3 part B §2.5.1: 16 and 32 bit UUIDs stand for this one with other first digits. */
const BASE = "-0000-1000-8000-00805f9b34fb";

const FULL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A 16 or 32 bit number, or 128 bits as text, as BlueZ writes it; undefined when it is neither. */
export function fullUuid(uuid: number | string): string | undefined {
  if (typeof uuid === "number") return `${uuid.toString(16).padStart(8, "0")}${BASE}`;
  const text = uuid.toLowerCase();
  return FULL.test(text) ? text : undefined;
}

/** For people: `fcd2` where that says it all. */
export function shortUuid(uuid: string): string {
  if (!uuid.endsWith(BASE)) return uuid;
  const digits = uuid.slice(0, 8);
  return digits.startsWith("0000") ? digits.slice(4) : digits;
}
