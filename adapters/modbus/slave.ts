import { concatBytes } from "causeway/adapter";
import { isBitTable, TABLES, type Table } from "./options.js";
import { MAX_BITS, MAX_REGISTERS } from "./plan.js";

const READ_TABLE: Readonly<Record<number, Table>> = { 1: "coil", 2: "discrete", 3: "holding", 4: "input" };
const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;
/** Modbus Application Protocol V1.1b3 §6.11 and §6.12. */
const MAX_WRITTEN_BITS = 1968;
const MAX_WRITTEN_REGISTERS = 123;

const MAX_READ_WRITE_REGISTERS = 121;
const DEVICE_IDENTIFICATION = 14;
const BASIC_CONFORMITY = 1;

/** The tables of one unit: what is not in them does not exist. Registers are 0 to 65535, bits 0 or 1. */
export class SlaveUnit {
  /** Vendor, product code and revision, for units that tell. */
  identity: readonly string[] = [];
  readonly #tables = new Map(TABLES.map((table) => [table, new Map<number, number>()]));

  get(table: Table, register: number): number | undefined {
    return this.#tables.get(table)?.get(register);
  }

  set(table: Table, register: number, word: number): void {
    this.#tables.get(table)?.set(register, word);
  }

  /** The answer to a request, or an exception (Modbus Application Protocol V1.1b3 §6 and §7). */
  respond(pdu: Uint8Array): Uint8Array {
    const code = pdu[0] ?? 0;
    const answer = this.#answer(code, pdu);
    return typeof answer === "number" ? Uint8Array.of(code | 0x80, answer) : answer;
  }

  #answer(code: number, pdu: Uint8Array): Uint8Array | number {
    if (code === 43 && this.identity.length > 0) return this.#identify(pdu);
    const known = READ_TABLE[code] !== undefined || [5, 6, 15, 16, 22, 23].includes(code);
    if (!known) return ILLEGAL_FUNCTION;
    if (pdu.length < 5) return ILLEGAL_VALUE;
    const view = new DataView(pdu.buffer, pdu.byteOffset, pdu.byteLength);
    const register = view.getUint16(1);
    const operand = view.getUint16(3);
    const table = READ_TABLE[code];
    if (table !== undefined) return this.#read(code, table, register, operand);
    if (code === 5) {
      if (operand !== 0 && operand !== 0xff00) return ILLEGAL_VALUE;
      return this.#write("coil", register, [operand === 0 ? 0 : 1], pdu);
    }
    if (code === 6) return this.#write("holding", register, [operand], pdu);
    if (code === 22) return this.#mask(register, pdu);
    if (code === 23) return this.#writeAndRead(pdu, view);
    const isBits = code === 15;
    const byteCount = isBits ? Math.ceil(operand / 8) : 2 * operand;
    const tooMany = operand > (isBits ? MAX_WRITTEN_BITS : MAX_WRITTEN_REGISTERS);
    if (operand === 0 || tooMany || pdu[5] !== byteCount || pdu.length !== 6 + byteCount) return ILLEGAL_VALUE;
    const words = Array.from({ length: operand }, (_, index) =>
      isBits ? ((pdu[6 + (index >> 3)] ?? 0) >> (index & 7)) & 1 : view.getUint16(6 + 2 * index),
    );
    return this.#write(isBits ? "coil" : "holding", register, words, pdu.subarray(0, 5));
  }

  #mask(register: number, pdu: Uint8Array): Uint8Array | number {
    if (pdu.length !== 7) return ILLEGAL_VALUE;
    const [and, or] = [((pdu[3] ?? 0) << 8) | (pdu[4] ?? 0), ((pdu[5] ?? 0) << 8) | (pdu[6] ?? 0)];
    const present = this.get("holding", register) ?? 0;
    return this.#write("holding", register, [(present & and) | (or & ~and & 0xffff)], pdu);
  }

  #writeAndRead(pdu: Uint8Array, view: DataView): Uint8Array | number {
    if (pdu.length < 10) return ILLEGAL_VALUE;
    const [first, count] = [view.getUint16(5), view.getUint16(7)];
    if (count === 0 || count > MAX_READ_WRITE_REGISTERS || pdu.length !== 10 + 2 * count) return ILLEGAL_VALUE;
    const words = Array.from({ length: count }, (_, index) => view.getUint16(10 + 2 * index));
    const written = this.#write("holding", first, words, pdu);
    return typeof written === "number" ? written : this.#read(23, "holding", view.getUint16(1), view.getUint16(3));
  }

  /** Of the basic objects, all in one answer (Modbus Application Protocol V1.1b3 §6.21). */
  #identify(pdu: Uint8Array): Uint8Array | number {
    if (pdu[1] !== DEVICE_IDENTIFICATION) return ILLEGAL_FUNCTION;
    const objects = this.identity.map((text, id) => Uint8Array.of(id, text.length, ...Buffer.from(text, "latin1")));
    const header = [43, DEVICE_IDENTIFICATION, pdu[2] ?? 0, BASIC_CONFORMITY, 0, 0, objects.length];
    return concatBytes([Uint8Array.from(header), ...objects]);
  }

  #read(code: number, table: Table, register: number, count: number): Uint8Array | number {
    const isBits = isBitTable(table);
    if (count === 0 || count > (isBits ? MAX_BITS : MAX_REGISTERS)) return ILLEGAL_VALUE;
    const answer = new Uint8Array(2 + (isBits ? Math.ceil(count / 8) : 2 * count));
    answer[0] = code;
    answer[1] = answer.length - 2;
    for (let index = 0; index < count; index++) {
      const word = this.get(table, register + index);
      if (word === undefined) return ILLEGAL_ADDRESS;
      if (isBits) answer[2 + (index >> 3)] = (answer[2 + (index >> 3)] ?? 0) | (word << (index & 7));
      else {
        answer[2 + 2 * index] = word >> 8;
        answer[3 + 2 * index] = word & 0xff;
      }
    }
    return answer;
  }

  #write(table: Table, register: number, words: readonly number[], answer: Uint8Array): Uint8Array | number {
    if (words.some((_, index) => this.get(table, register + index) === undefined)) return ILLEGAL_ADDRESS;
    for (const [index, word] of words.entries()) this.set(table, register + index, word);
    return answer.slice();
  }
}
