import { didYouMean } from "../base/did-you-mean.js";
import { CausewayError, ERROR_TABLE, toError } from "../base/errors.js";
import { packageVersion } from "../base/package-root.js";
import { type Command, EXIT, helpText, type Io, parseArguments } from "./command.js";

/** `words` are what follows the name: some commands are of an adapter's making. */
type LoadCommand = (words: readonly string[]) => Promise<Command>;

/** Each is loaded when it is named: a gateway that starts need not wait for the code of the others. */
const COMMANDS: ReadonlyMap<string, LoadCommand> = new Map<string, LoadCommand>([
  ["run", async () => (await import("./run.js")).run],
  ["check", async () => (await import("./check.js")).check],
  ["preview", async () => (await import("./preview.js")).preview],
  ["profiles", async () => (await import("./profiles.js")).profiles],
  ["scan", async (words) => await (await import("./field-tool.js")).fieldToolCommand("scan", words)],
  ["read", async (words) => await (await import("./field-tool.js")).fieldToolCommand("read", words)],
  ["plan", async () => (await import("./plan.js")).plan],
  ["test", async () => (await import("./test.js")).test],
  ["trace", async () => (await import("./trace.js")).trace],
  ["status", async () => (await import("./status.js")).status],
  ["explain", async () => (await import("./explain.js")).explain],
  ["demo", async () => (await import("../demo/demo.js")).demo],
]);

/** Runs the command that the words name and gives the exit code; never rejects. */
export async function runCli(words: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = words;
  if (name === "--version" || name === "-V") {
    io.out(packageVersion());
    return EXIT.good;
  }
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    io.out(await overview());
    return name === undefined ? EXIT.badConfiguration : EXIT.good;
  }
  const load = COMMANDS.get(name);
  if (load === undefined) {
    const guess = didYouMean(name, [...COMMANDS.keys()]);
    io.err(`unknown command '${name}'${guess === undefined ? "" : ` (did you mean '${guess}'?)`}`);
    return EXIT.badConfiguration;
  }
  try {
    const command = await load(rest);
    if (rest.includes("--help") || rest.includes("-h")) {
      io.out(helpText(command));
      return EXIT.good;
    }
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

async function overview(): Promise<string> {
  const commands = await Promise.all([...COMMANDS.values()].map((load) => load([])));
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`);
  return ["causeway COMMAND …", "", ...rows, "", "causeway COMMAND --help tells how."].join("\n");
}
