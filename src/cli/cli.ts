import { didYouMean } from "../base/did-you-mean.js";
import { CausewayError, ERROR_TABLE, toError } from "../base/errors.js";
import { packageVersion } from "../base/package-root.js";
import { demo } from "../demo/demo.js";
import { check } from "./check.js";
import { type Command, EXIT, helpText, type Io, parseArguments } from "./command.js";
import { explain } from "./explain.js";
import { preview } from "./preview.js";
import { run } from "./run.js";
import { status } from "./status.js";

const COMMANDS: readonly Command[] = [run, check, preview, status, explain, demo];

/** Runs the command that the words name and gives the exit code; never rejects. */
export async function runCli(words: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = words;
  if (name === "--version" || name === "-V") {
    io.out(packageVersion());
    return EXIT.good;
  }
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    io.out(overview());
    return name === undefined ? EXIT.badConfiguration : EXIT.good;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const guess = didYouMean(
      name,
      COMMANDS.map((candidate) => candidate.name),
    );
    io.err(`unknown command '${name}'${guess === undefined ? "" : ` (did you mean '${guess}'?)`}`);
    return EXIT.badConfiguration;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    io.out(helpText(command));
    return EXIT.good;
  }
  try {
    return await command.run(parseArguments(command, rest), io);
  } catch (error) {
    return report(error, io);
  }
}

function report(error: unknown, io: Io): number {
  if (!(error instanceof CausewayError)) {
    io.err(`error: ${toError(error).stack ?? String(error)}`);
    return EXIT.fatal;
  }
  io.err(`${error.code}: ${error.message}`);
  io.err(`  ${ERROR_TABLE[error.code].remedy}`);
  const usage = error.code === "USAGE" || error.code.startsWith("CONFIG_") || error.code === "LWM2M_MODEL";
  return usage ? EXIT.badConfiguration : EXIT.fatal;
}

function overview(): string {
  const rows = COMMANDS.map(({ name, synopsis, summary }) => `  ${`${name} ${synopsis}`.padEnd(30)} ${summary}`);
  return ["causeway COMMAND …", "", ...rows, "", "causeway COMMAND --help tells more."].join("\n");
}
