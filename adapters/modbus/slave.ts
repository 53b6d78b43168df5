import { concatBytes, type DeviceTraits } from "causeway/adapter";
import { isBitTable, TABLES, type Table } from "./options.js";
import { MAX_BITS, maxRegisters } from "./plan.js";
import { haveBytes, type RegisterBytes, registerBytesAt } from "./register-bytes.js";

const READ_TABLE: Readonly<Record<number, Table>> = { 1: "coil", 2: "discrete", 3: "holding", 4: "input" };
const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;
/** Modbus Application Protocol V1.1b3 §6.11 and §6.12. */
const MAX_WRITTEN_BITS = 1968;
const MAX_WRITTEN_BYTES = 246;

const MAX_READ_WRITE_REGISTERS = 121;
const DEVICE_IDENTIFICATION = 14;
const BASIC_CONFORMITY = 1;

/**
 * The tables of one unit: what is not in them does not exist. Registers are 0 to 65535, those of four bytes 0 to 2^32 − 1,
 * bits 0 or 1.
 */
export class SlaveUnit {
  /** Vendor, product code and revision, for units that tell. */
  identity: readonly string[] = [];
  /** Where registers have four bytes. */
  layout: Pick<DeviceTraits, "fourBytes"> = {};
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
    if ([6, 22, 23].includes(code) && registerBytesAt(register, this.layout) === 4) return ILLEGAL_FUNCTION;
    if (table !== undefined) return this.#read(code, table, register, operand);
    if (code === 5) {
      if (operand !== 0 && operand !== 0xff00) return ILLEGAL_VALUE;
      return this.#write("coil", register, [operand === 0 ? 0 : 1], pdu);
    }
    if (code === 6) return this.#write("holding", register, [operand], pdu);
    if (code === 22) return this.#mask(register, pdu);
    if (code === 23) return this.#writeAndRead(pdu, view);
    const isBits = code === 15;
    const registerBytes = registerBytesAt(register, this.layout);
    const byteCount = isBits ? Math.ceil(operand / 8) : registerBytes * operand;
    const tooMany = operand > (isBits ? MAX_WRITTEN_BITS : MAX_WRITTEN_BYTES / registerBytes);
    if (operand === 0 || tooMany || pdu[5] !== byteCount || pdu.length !== 6 + byteCount) return ILLEGAL_VALUE;
    if (!(isBits || this.#areAlike(registerBytes, register, operand))) return ILLEGAL_ADDRESS;
    const words = Array.from({ length: operand }, (_, index) =>
      isBits
        ? ((pdu[6 + (index >> 3)] ?? 0) >> (index & 7)) & 1
        : wordAt(view, 6 + registerBytes * index, registerBytes),
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
    const registerBytes = registerBytesAt(register, this.layout);
    if (count === 0 || count > (isBits ? MAX_BITS : maxRegisters(registerBytes))) return ILLEGAL_VALUE;
    if (!(isBits || this.#areAlike(registerBytes, register, count))) return ILLEGAL_ADDRESS;
    const answer = new Uint8Array(2 + (isBits ? Math.ceil(count / 8) : registerBytes * count));
    const view = new DataView(answer.buffer);
    answer[0] = code;
    answer[1] = answer.length - 2;
    for (let index = 0; index < count; index++) {
      const word = this.get(table, register + index);
      if (word === undefined) return ILLEGAL_ADDRESS;
      if (isBits) answer[2 + (index >> 3)] = (answer[2 + (index >> 3)] ?? 0) | (word << (index & 7));
      else if (registerBytes === 4) view.setUint32(2 + 4 * index, word);
      else view.setUint16(2 + 2 * index, word);
    }
    return answer;
  }

  /** No request joins registers of two and of four bytes. */
  #areAlike(bytes: RegisterBytes, register: number, count: number): boolean {
    return haveBytes(bytes, register, register + count - 1, this.layout);
  }

  #write(table: Table, register: number, words: readonly number[], answer: Uint8Array): Uint8Array | number {
    if (words.some((_, index) => this.get(table, register + index) === undefined)) return ILLEGAL_ADDRESS;
    for (const [index, word] of words.entries()) this.set(table, register + index, word);
    return answer.slice();
  }
}

function wordAt(view: DataView, offset: number, bytes: RegisterBytes): number {
  return bytes === 4 ? view.getUint32(offset) : view.getUint16(offset);
}
