import { encodeRegisters, mergeBits, type RegisterFormat, type Scalar } from "causeway/adapter";
import type { Call } from "./pdu.js";
import { READ_FUNCTION, type Span } from "./plan.js";

const WRITE_MULTIPLE_REGISTERS = 16;
const READ_METHODS = ["writeFC1", "writeFC2", "writeFC3", "writeFC4"] as const;

export function readCall({ table, register, count }: Pick<Span, "table" | "register" | "count">): Call {
  const method = READ_METHODS[READ_FUNCTION[table] - 1] ?? "writeFC3";
  return (client, unit, done) => client[method](unit, register, count, done);
}

export function coilCall(register: number, isOn: boolean, how: "single" | "multiple"): Call {
  if (how === "multiple") return (client, unit, done) => client.writeFC15(unit, register, [isOn], done);
  return (client, unit, done) => client.writeFC5(unit, register, isOn, done);
}

/** One register alone is written with FC6, unless `multiple` is asked for. */
export function registersCall(register: number, bytes: Uint8Array, how: "single" | "multiple"): Call {
  const words = wordsOf(bytes);
  const [first = 0] = words;
  if (words.length > 1 || how === "multiple") {
    return (client, unit, done) => client.writeFC16(unit, register, words, done);
  }
  return (client, unit, done) => client.writeFC6(unit, register, first, done);
}

/**
 * Of registers of four bytes the quantity counts those, not words. FC16 is known to all devices that have them; FC6 would
 * need a request of another length, and FC22 and FC23 nobody has defined.
 */
export function fourByteRegistersCall(register: number, bytes: Uint8Array): Call {
  const count = bytes.length / 4;
  const data = [register >> 8, register & 0xff, count >> 8, count & 0xff, bytes.length, ...bytes];
  return (client, unit, done) => client.writeCustomFC(unit, WRITE_MULTIPLE_REGISTERS, data, done);
}

/** The result is (present AND and) OR (or AND NOT and) (Modbus Application Protocol V1.1b3 §6.16). */
export function maskCall(register: number, value: Scalar, format: RegisterFormat): Call {
  const [or = 0] = wordsOf(encodeRegisters(value, format));
  const [and = 0] = wordsOf(mergeBits(Uint8Array.of(0xff, 0xff), Uint8Array.of(0, 0), format));
  return (client, unit, done) => client.writeFC22(unit, register, and, or, done);
}

/** FC23 writes first and reads then (Modbus Application Protocol V1.1b3 §6.17). */
export function writeAndReadCall(register: number, bytes: Uint8Array): Call {
  const words = wordsOf(bytes);
  return (client, unit, done) => client.writeFC23(unit, register, words.length, register, words.length, words, done);
}

export function wordsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 2 }, (_, index) => view.getUint16(2 * index));
}
