import { type ParseArgsConfig, parseArgs } from "node:util";
import { didYouMean } from "../base/did-you-mean.js";
import { CausewayError } from "../base/errors.js";

/** Where a command writes; replaced in tests. */
export interface Io {
  /** One line to standard output. */
  out(line: string): void;
  /** One line to standard error. */
  err(line: string): void;
  /** What a long work is at; in the place of what it said before, empty to end it. Absent where nobody watches. */
  progress?(text: string): void;
  /** Colour and live redrawing only on a terminal. */
  readonly terminal: "terminal" | "pipe";
  readonly environment: NodeJS.ProcessEnv;
  /** Aborts at SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Called at SIGHUP. */
  onReload(listener: () => void): void;
}

export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly value?: string;
  readonly summary: string;
}

export interface Arguments {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

export interface Command {
  readonly name: string;
  /** What follows the name in the usage line. */
  readonly synopsis: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly positionals: "none" | "one" | "some";
  /** Gives the exit code. */
  run(args: Arguments, io: Io): Promise<number>;
}

export const EXIT = { good: 0, fatal: 1, badConfiguration: 2, pointFailed: 3, notRunning: 4 } as const;

const MOST: Readonly<Record<Command["positionals"], number>> = { none: 0, one: 1, some: Number.POSITIVE_INFINITY };

/** Reads the words after the command's name; throws USAGE, with the nearest known option for an unknown one. */
export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const options: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean", short: "h" } };
  for (const [name, { type, short }] of Object.entries(command.options)) {
    options[name] = short === undefined ? { type } : { type, short };
  }
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  const values: Record<string, string | boolean> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = options[token.name];
    if (option === undefined) throw unknownOption(token.rawName, options);
    if (option.type === "string" && token.value === undefined) {
      throw new CausewayError("USAGE", `option '${token.rawName}' needs a value`);
    }
    if (option.type === "boolean" && token.value !== undefined) {
      throw new CausewayError("USAGE", `option '${token.rawName}' takes no value`);
    }
    values[token.name] = token.value ?? true;
  }
  const surplus = positionals[MOST[command.positionals]];
  if (surplus !== undefined) throw new CausewayError("USAGE", `'${command.name}' takes no '${surplus}'`);
  return { values, positionals };
}

function unknownOption(rawName: string, options: Readonly<Record<string, unknown>>): CausewayError {
  const names = Object.keys(options).map((name) => `--${name}`);
  const guess = didYouMean(rawName, names);
  const hint = guess === undefined ? `known: ${names.join(", ")}` : `did you mean '${guess}'?`;
  return new CausewayError("USAGE", `unknown option '${rawName}' (${hint})`);
}

export function helpText(command: Command): string {
  const rows = Object.entries(command.options).map(([name, { short, value, summary }]) => {
    const flag = `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
    return `  ${flag.padEnd(25)} ${summary}`;
  });
  const all = [...rows, `  ${"-h, --help".padEnd(26)}shows this text`];
  return [`causeway ${command.name} ${command.synopsis}`.trim(), "", command.summary, "", ...all].join("\n");
}

/** The value of a string option, or undefined. */
export function text(args: Arguments, name: string): string | undefined {
  const value = args.values[name];
  return typeof value === "string" ? value : undefined;
}
