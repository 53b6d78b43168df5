import type { FieldTool, ToolArguments, ToolContext } from "causeway/adapter";
import { exceptionText } from "./exception.js";
import { interpretRegisters } from "./interpretations.js";
import { openTransport } from "./open-transport.js";
import { isBitTable, type ModbusLinkOptions, type ModbusPoint, TABLES, type Table } from "./options.js";
import { MAX_BITS, MAX_REGISTERS, READ_FUNCTION } from "./plan.js";
import { LINE_OPTIONS, linkOf, settingsOf, usage, wholeNumber } from "./tool-options.js";

/** More than this is shown only as far as it is plausible. */
const SHORT = 4;
const RESPONSE_TIMEOUT_MS = 1000;

/** `causeway read modbus`: what registers hold, in every way in which they can be understood. */
export const readTool: FieldTool<ModbusPoint> = {
  summary: "Reads registers and shows what they could mean; plausible meanings are marked.",
  synopsis: "--port PATH|--host HOST --unit N --table TABLE REGISTER [COUNT]",
  options: {
    ...LINE_OPTIONS,
    unit: { type: "string", value: "N", summary: "address of the device, 1 unless given" },
    table: { type: "string", value: TABLES.join("|"), summary: "holding unless given" },
    all: { type: "boolean", summary: "shows also what is not plausible, of many registers" },
  },
  async run(args, context, signal) {
    const request = requestOf(args);
    const link = linkOf(args);
    const [settings] = settingsOf(args, link);
    const options: ModbusLinkOptions = { ...link, ...settings };
    const transport = await openTransport(options, context.clock, signal);
    try {
      const pdu = Uint8Array.of(
        READ_FUNCTION[request.table],
        request.register >> 8,
        request.register & 0xff,
        request.count >> 8,
        request.count & 0xff,
      );
      const { responseTimeout: responseTimeoutMs = RESPONSE_TIMEOUT_MS } = options;
      const answer = await transport.exchange({ unit: request.unit, pdu, responseTimeoutMs, gapMs: 0 }, signal);
      if ((answer[0] ?? 0) >= 0x80) {
        context.found({ register: request.register, value: exceptionText(answer[1] ?? 0) });
        return;
      }
      show(answer.subarray(2), request, args.values["all"] === true, context);
    } catch (error) {
      // With the signal it ends, which is no error.
      if (!signal.aborted) throw error;
    } finally {
      await transport[Symbol.asyncDispose]();
    }
  },
};

interface ReadRequest {
  readonly unit: number;
  readonly table: Table;
  readonly register: number;
  readonly count: number;
}

/** Throws USAGE. */
export function requestOf({ values, positionals }: ToolArguments): ReadRequest {
  const named = values["table"] ?? "holding";
  const table = TABLES.find((one) => one === named);
  if (table === undefined) throw usage(`--table is one of ${TABLES.join(", ")}, not '${named}'`);
  const [first, count = "2", surplus] = positionals;
  if (first === undefined) throw usage("which register? e.g. read modbus … 0x5B00 2");
  if (surplus !== undefined) throw usage(`what is '${surplus}'? A register and a count is all`);
  const register = wholeNumber("the register", first, 0, 65535);
  const most = Math.min(isBitTable(table) ? MAX_BITS : MAX_REGISTERS, 65536 - register);
  return {
    unit: wholeNumber("--unit", values["unit"] ?? "1", 0, 255),
    table,
    register,
    count: wholeNumber("the count", count, 1, most),
  };
}

function show(
  bytes: Uint8Array,
  { table, register, count }: ReadRequest,
  everything: boolean,
  { found }: ToolContext<ModbusPoint>,
): void {
  if (isBitTable(table)) {
    for (let index = 0; index < count; index++) {
      found({ register: register + index, as: "bit", value: ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1 });
    }
    return;
  }
  for (const { register: at, as, value, isPlausible } of interpretRegisters(bytes, register)) {
    if (count > SHORT && !everything && !isPlausible && as !== "uint16") continue;
    const hex = `0x${at.toString(16).toUpperCase().padStart(4, "0")}`;
    found({ register: at, hex, as, value, plausible: isPlausible ? "✓" : undefined });
  }
}
