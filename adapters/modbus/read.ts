import { CausewayError, type FieldTool, type ToolArguments, type ToolContext } from "causeway/adapter";
import { exceptionQuality, exceptionText } from "./exception.js";
import { interpretRegisters } from "./interpretations.js";
import { openTransport } from "./open-transport.js";
import { isBitTable, type ModbusLinkOptions, type ModbusPoint, TABLES } from "./options.js";
import { MAX_BITS, maxRegisters, READ_FUNCTION } from "./plan.js";
import { otherRanges, type ReadRange } from "./read-hint.js";
import type { RegisterBytes } from "./register-bytes.js";
import { LINE_OPTIONS, linkOf, settingsOf, usage, wholeNumber } from "./tool-options.js";

/** More than this is shown only as far as it is plausible. */
const SHORT = 4;
const RESPONSE_TIMEOUT_MS = 1000;
const EXCEPTION_BIT = 0x80;

/** `causeway read modbus`: what registers hold, in every way in which they can be understood. */
export const readTool: FieldTool<ModbusPoint> = {
  summary:
    "Reads registers, counted from 0, and shows what they could mean; plausible meanings are marked. 9600 8N1 unless given, of ASCII 9600 7E1.",
  synopsis: "--port PATH|--host HOST --unit N --table TABLE REGISTER [COUNT]",
  options: {
    ...LINE_OPTIONS,
    unit: { type: "string", value: "N", summary: "address of the device, 1 unless given" },
    table: { type: "string", value: TABLES.join("|"), summary: "holding unless given" },
    "register-bytes": {
      type: "string",
      value: "2|4",
      summary: "4 for devices that give so many for each; 2 unless given",
    },
    all: { type: "boolean", summary: "shows also what is not plausible, of many registers" },
  },
  async run(args, context, signal) {
    const request = requestOf(args);
    const link = linkOf(args);
    const [settings] = settingsOf(args, link);
    const options: ModbusLinkOptions = { ...link, ...settings };
    const transport = await openTransport(options, context.clock, signal);
    try {
      const { responseTimeout: responseTimeoutMs = RESPONSE_TIMEOUT_MS } = options;
      const ask = async (range: ReadRange): Promise<Uint8Array> => {
        const pdu = readPdu(range);
        const { unit, registerBytes } = request;
        return await transport.exchange({ unit, pdu, registerBytes, responseTimeoutMs, gapMs: 0 }, signal);
      };
      const answer = await ask(request);
      if ((answer[0] ?? 0) >= EXCEPTION_BIT) throw await refusal(request, answer[1] ?? 0, ask);
      show(answer.subarray(2), request, args.values["all"] === true, context);
    } catch (error) {
      // With the signal it ends, which is no error.
      if (!signal.aborted) throw error;
    } finally {
      await transport[Symbol.asyncDispose]();
    }
  },
};

interface ReadRequest extends ReadRange {
  readonly unit: number;
  readonly registerBytes: RegisterBytes;
}

function readPdu({ table, register, count }: ReadRange): Uint8Array {
  return Uint8Array.of(READ_FUNCTION[table], register >> 8, register & 0xff, count >> 8, count & 0xff);
}

/** Why the device refused, and what it answers that is like what was asked for. */
async function refusal(
  request: ReadRequest,
  exception: number,
  ask: (range: ReadRange) => Promise<Uint8Array>,
): Promise<CausewayError> {
  const message = `unit ${request.unit} refuses ${rangeText(request)}: ${exceptionText(exception)}`;
  if (exceptionQuality(exception) !== "unsupported") return new CausewayError("FIELD_EXCEPTION", message);
  for (const other of otherRanges(request)) {
    const [code = EXCEPTION_BIT] = await ask(other).catch(silentAs(exception));
    if (code >= EXCEPTION_BIT) continue;
    const { table, register, count, why } = other;
    const hint = `it does answer --table ${table} ${register} ${count}: ${why}`;
    return new CausewayError("FIELD_EXCEPTION", `${message} (${hint})`);
  }
  return new CausewayError("FIELD_EXCEPTION", `${message}, and so the other table and the register before`);
}

/** Some devices answer nothing to what they do not know, or hang up. */
function silentAs(exception: number): (error: unknown) => Uint8Array {
  return (error) => {
    if (error instanceof CausewayError && /^(FIELD|LINK)_/.test(error.code)) {
      return Uint8Array.of(EXCEPTION_BIT, exception);
    }
    throw error;
  };
}

function rangeText({ table, register, count }: ReadRange): string {
  return count === 1 ? `${table} ${register}` : `${table} ${register} to ${register + count - 1}`;
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
  const registerBytes = registerBytesOf(values["register-bytes"] ?? "2");
  const most = Math.min(isBitTable(table) ? MAX_BITS : maxRegisters(registerBytes), 65536 - register);
  return {
    unit: wholeNumber("--unit", values["unit"] ?? "1", 0, 255),
    registerBytes,
    table,
    register,
    count: wholeNumber("the count", count, 1, most),
  };
}

function registerBytesOf(text: string | boolean): RegisterBytes {
  if (text === "2" || text === "4") return text === "2" ? 2 : 4;
  throw usage(`--register-bytes is 2 or 4, not '${text}'`);
}

function show(
  bytes: Uint8Array,
  { table, register, count, registerBytes }: ReadRequest,
  everything: boolean,
  { found }: ToolContext<ModbusPoint>,
): void {
  if (isBitTable(table)) {
    const bitAt = (index: number): number => ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1;
    found(
      ...Array.from({ length: count }, (_, index) => ({ register: register + index, as: "bit", value: bitAt(index) })),
    );
    return;
  }
  const plainest = registerBytes === 2 ? "uint16" : "uint32 ABCD";
  const meanings = interpretRegisters(bytes, register, registerBytes).filter(
    ({ as, isPlausible }) => count <= SHORT || everything || isPlausible || as === plainest,
  );
  found(
    ...meanings.map(({ register: at, as, value, isPlausible }) => {
      const hex = `0x${at.toString(16).toUpperCase().padStart(4, "0")}`;
      return { register: at, hex, as, value, plausible: isPlausible };
    }),
  );
}
