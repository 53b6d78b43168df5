import { type DeviceTraits, type RegisterFormat, registerCount } from "causeway/adapter";

/** Two by the standard; four in the ranges that a profile says, as Daniel and Enron brought them up for 32-bit values. */
export type RegisterBytes = 2 | 4;

/** Bytes of the register, as on the wire. */
export function registerBytesAt(register: number, { fourBytes }: DeviceTraits): RegisterBytes {
  if (fourBytes === undefined) return 2;
  return fourBytes.some(([first, last]) => register >= first && register <= last) ? 4 : 2;
}

/** Whether all registers from `first` to `last` have so many bytes. */
export function haveBytes(bytes: RegisterBytes, first: number, last: number, traits: DeviceTraits): boolean {
  if (traits.fourBytes === undefined) return bytes === 2;
  for (let register = first; register <= last; register++) {
    if (registerBytesAt(register, traits) !== bytes) return false;
  }
  return true;
}

/** How many registers a value takes. */
export function registersOf(format: RegisterFormat, bytes: RegisterBytes): number {
  return Math.ceil((2 * registerCount(format)) / bytes);
}

/** What is wrong with a value that stands at the register; undefined when nothing is. */
export function registerBytesProblem(
  register: number,
  format: RegisterFormat,
  traits: DeviceTraits,
): string | undefined {
  const bytes = registerBytesAt(register, traits);
  if (!haveBytes(bytes, register, register + registersOf(format, bytes) - 1, traits)) {
    return "lies across the border of registers of four bytes ('fourBytes')";
  }
  if (bytes === 2 || (format.type !== "string" && registerCount(format) >= 2)) return undefined;
  return `a register of four bytes ('fourBytes') holds a number of 32 or 64 bits, not ${format.type}`;
}
