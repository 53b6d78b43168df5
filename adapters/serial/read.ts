import {
  CausewayError,
  type Clock,
  type FieldTool,
  type Finding,
  fromHex,
  type Line,
  listenFor,
  printableText,
  secondsArgument,
  type Timer,
  type ToolArguments,
  textArgument,
  toHex,
} from "causeway/adapter";
import { linkProblem } from "./check.js";
import { openLine } from "./open-line.js";
import type { SerialLinkOptions, SerialPoint } from "./options.js";

const DEFAULT_SECONDS = 10;
/** Silence that ends a piece; the driver hands characters over in lumps. */
const GAP_MS = 30;
/** A device that never rests is shown in pieces of this length. */
const MAX_PIECE = 256;
const ESCAPES: Readonly<Record<string, string>> = { r: "\r", n: "\n", t: "\t", "\\": "\\" };

/** Opens the line of a link; as `openLine`, for tests without hardware. */
export type LineOpener = (options: SerialLinkOptions, clock: Clock, signal: AbortSignal) => Promise<Line>;

/** `causeway read serial`: what comes over a line, in pieces between which it is silent. */
export function readTool(open: LineOpener = openLine): FieldTool<SerialPoint> {
  return {
    summary:
      "Shows what comes over a serial line, as text and bytes; sends nothing unless told. 9600 8N1 unless given.",
    synopsis: "--port PATH | --host HOST --port N",
    whenNothing: "check wiring and baud rate, or whether the device speaks only when asked (--send)",
    options: {
      port: { type: "string", value: "PATH|N", summary: "serial port, or with --host the TCP port" },
      host: { type: "string", value: "HOST", summary: "of a serial server" },
      baud: { type: "string", value: "N", summary: "9600 unless given" },
      "data-bits": { type: "string", value: "7|8", summary: "8 unless given" },
      parity: { type: "string", value: "NAME", summary: "of none, even, odd; none unless given" },
      "stop-bits": { type: "string", value: "1|2", summary: "1 unless given" },
      send: { type: "string", value: "TEXT", summary: "asks first: 'SI\\r\\n', or bytes: 'hex:FF 01 86'" },
      seconds: { type: "string", value: "N", summary: `how long to listen, ${DEFAULT_SECONDS} unless given` },
    },
    async run(args, { clock, found, progress }, signal) {
      const options = optionsOf(args);
      const listenMs = secondsArgument(args, DEFAULT_SECONDS);
      const request = requestOf(textArgument(args, "send"));
      try {
        await using line = await open(options, clock, signal);
        const startedMs = clock.monotonicMs();
        using pieces = new Pieces(clock, (bytes, atMs) => {
          const atS = ((atMs - startedMs) / 1000).toFixed(2);
          found(...wordsOf(bytes).map((word) => ({ atS, ...word })));
        });
        line.listen((bytes) => pieces.push(bytes));
        if (request !== undefined) line.write(request);
        progress(`listening for ${listenMs / 1000} s`);
        await listenFor(clock, listenMs, line.closed, signal);
      } catch (error) {
        // With the signal it ends, which is no error.
        if (!signal.aborted) throw error;
      }
    },
  };
}

/** Puts together what comes without a pause. */
class Pieces implements Disposable {
  readonly #clock: Clock;
  readonly #onPiece: (bytes: Uint8Array, atMs: number) => void;
  #bytes: number[] = [];
  #atMs = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, onPiece: (bytes: Uint8Array, atMs: number) => void) {
    this.#clock = clock;
    this.#onPiece = onPiece;
  }

  push(bytes: Uint8Array): void {
    if (this.#bytes.length === 0) this.#atMs = this.#clock.monotonicMs();
    this.#bytes.push(...bytes);
    this.#timer?.cancel();
    if (this.#bytes.length >= MAX_PIECE) {
      this.#end();
      return;
    }
    this.#timer = this.#clock.schedule(GAP_MS, () => this.#end());
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#end();
  }

  #end(): void {
    const bytes = Uint8Array.from(this.#bytes);
    this.#bytes = [];
    if (bytes.length > 0) this.#onPiece(bytes, this.#atMs);
  }
}

function optionsOf(args: ToolArguments): SerialLinkOptions {
  const host = textArgument(args, "host");
  const port = textArgument(args, "port");
  if (port === undefined) throw new CausewayError("USAGE", "read serial needs --port, e.g. /dev/ttyUSB0");
  const parity = textArgument(args, "parity") ?? "none";
  if (parity !== "none" && parity !== "even" && parity !== "odd") {
    throw new CausewayError("USAGE", `--parity is none, even or odd, not '${parity}'`);
  }
  const options: SerialLinkOptions = {
    port: host === undefined ? port : numberOf("port", port, 1, 65535),
    ...(host === undefined ? {} : { host }),
    baudRate: numberOf("baud", textArgument(args, "baud") ?? "9600", 50, 4_000_000),
    dataBits: numberOf("data-bits", textArgument(args, "data-bits") ?? "8", 7, 8),
    parity,
    stopBits: numberOf("stop-bits", textArgument(args, "stop-bits") ?? "1", 1, 2),
  };
  const problem = linkProblem(options);
  if (problem !== undefined) throw new CausewayError("USAGE", problem);
  return options;
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new CausewayError("USAGE", `--${name} is a whole number from ${min} to ${max}, not '${text}'`);
}

function requestOf(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const hex = /^hex:(.*)$/s.exec(text)?.[1]?.replaceAll(/\s/g, "");
  if (hex === undefined) {
    return new Uint8Array(
      Buffer.from(
        text.replaceAll(/\\([rnt\\])/g, (_, key: string) => ESCAPES[key] ?? key),
        "latin1",
      ),
    );
  }
  if (/^([0-9a-f]{2})+$/i.test(hex)) return fromHex(hex);
  throw new CausewayError("USAGE", `--send '${text}' is not hexadecimal`);
}

/** The lines of what is text, all else in hexadecimal. */
function wordsOf(bytes: Uint8Array): readonly Finding[] {
  const text = printableText(bytes);
  if (text === undefined) return [{ text: undefined, hex: spacedHex(bytes) }];
  return text.split(/(?<=\\n)/).map((line) => ({ text: line, hex: undefined }));
}

function spacedHex(bytes: Uint8Array): string {
  return toHex(bytes).replace(/..(?!$)/g, "$& ");
}
