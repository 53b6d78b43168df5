import { CausewayError, type ToolArguments, type ToolOption } from "causeway/adapter";
import { isAscii, isOnSerialLine, linkProblem, type ModbusLinkOptions, TRANSPORTS } from "./options.js";

/** Of both tools: where to look. */
export const LINE_OPTIONS: Readonly<Record<string, ToolOption>> = {
  port: { type: "string", value: "PATH|N", summary: "serial port, or with --host the TCP port" },
  host: { type: "string", value: "HOST", summary: "of a device or gateway on the network" },
  transport: { type: "string", value: "NAME", summary: `of ${TRANSPORTS.join(", ")}; rtu or tcp unless given` },
  baud: { type: "string", value: "LIST", summary: "e.g. 9600,19200" },
  parity: { type: "string", value: "LIST", summary: "of none, even, odd" },
  "stop-bits": { type: "string", value: "1|2", summary: "1 unless given" },
  timeout: { type: "string", value: "MS", summary: "how long to wait for an answer" },
};

const PARITIES = ["none", "even", "odd"] as const;
type Parity = (typeof PARITIES)[number];

/** Settings of a serial line. */
export interface Settings {
  readonly baudRate: number;
  readonly parity: Parity;
}

/** In the order in which devices are likely to have them. */
const USUAL_SETTINGS: readonly Settings[] = [
  { baudRate: 9600, parity: "none" },
  { baudRate: 9600, parity: "even" },
  { baudRate: 19200, parity: "even" },
  { baudRate: 19200, parity: "none" },
  { baudRate: 4800, parity: "none" },
  { baudRate: 2400, parity: "none" },
  { baudRate: 38400, parity: "none" },
  { baudRate: 115200, parity: "none" },
];

/** The link that the arguments describe, without what is tried out; throws USAGE. */
export function linkOf({ values }: ToolArguments): ModbusLinkOptions {
  const { port, host, transport: named } = values;
  const transport = TRANSPORTS.find((one) => one === named) ?? (host === undefined ? "rtu" : "tcp");
  if (named !== undefined && named !== transport) throw usage(`--transport is one of ${TRANSPORTS.join(", ")}`);
  if (port === undefined && host === undefined) throw usage("give --port PATH or --host HOST");
  const timeout = values["timeout"] === undefined ? undefined : wholeNumber("--timeout", values["timeout"], 1, 60_000);
  const link: ModbusLinkOptions = {
    transport,
    ...(typeof host === "string" ? { host, ...(port === undefined ? {} : { port: portNumber(port) }) } : {}),
    ...(host === undefined ? { port: String(port) } : {}),
    ...(timeout === undefined ? {} : { responseTimeout: timeout }),
    ...(values["stop-bits"] === undefined ? {} : { stopBits: wholeNumber("--stop-bits", values["stop-bits"], 1, 2) }),
  };
  const problem = linkProblem(link);
  if (problem !== undefined) throw usage(problem);
  return link;
}

/** What to try on a serial line, likely settings first; throws USAGE. */
export function settingsOf({ values }: ToolArguments, { transport }: ModbusLinkOptions): readonly Settings[] {
  if (!isOnSerialLine({ transport })) return [];
  const bauds =
    values["baud"] === undefined
      ? undefined
      : listOf(values["baud"]).map((b) => wholeNumber("--baud", b, 50, 4_000_000));
  const parities = values["parity"] === undefined ? undefined : listOf(values["parity"]).map(parityOf);
  // With even parity ASCII was defined, and devices are delivered.
  const usual: readonly Parity[] = isAscii({ transport }) ? ["even", "none"] : ["none", "even"];
  if (bauds !== undefined)
    return bauds.flatMap((baudRate) => (parities ?? usual).map((parity) => ({ baudRate, parity })));
  const settings = USUAL_SETTINGS.filter(({ parity }) => parities?.includes(parity) ?? true);
  return isAscii({ transport }) ? settings.toSorted((a, b) => a.parity.localeCompare(b.parity)) : settings;
}

/** `1-247`, `1,5,10-20`; throws USAGE. */
export function idsOf(text: string): readonly number[] {
  const ids = listOf(text).flatMap((part) => {
    const [from = "", to = from] = part.split("-");
    const first = wholeNumber("--ids", from, 0, 255);
    const last = wholeNumber("--ids", to, first, 255);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return [...new Set(ids)];
}

/** Also hexadecimal, `0x5B00`; throws USAGE. */
export function wholeNumber(what: string, text: string | boolean, min: number, max: number): number {
  const number = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw usage(`${what} is a whole number from ${min} to ${max}, not '${text}'`);
}

export function usage(message: string): CausewayError {
  return new CausewayError("USAGE", message);
}

function portNumber(text: string | boolean): number {
  return wholeNumber("--port of a host", text, 1, 65535);
}

function parityOf(text: string): Parity {
  const parity = PARITIES.find((one) => one === text || one.charAt(0) === text.toLowerCase());
  if (parity === undefined) throw usage(`--parity is one of ${PARITIES.join(", ")}, not '${text}'`);
  return parity;
}

function listOf(text: string | boolean): readonly string[] {
  return String(text)
    .split(",")
    .map((part) => part.trim());
}
