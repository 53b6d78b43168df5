import { CausewayError, ERROR_TABLE } from "../base/errors.js";
import { formatProblem, type Problem } from "../base/source.js";
import { mappingContext, type ReadConfig, readConfig } from "../config/read.js";
import { readProfileFile } from "../mapping/profiles.js";
import { type Arguments, type Command, EXIT, type Io, text } from "./command.js";

export const check: Command = {
  name: "check",
  synopsis: "-c FILE | MAPPING.yaml …",
  summary: "Checks a configuration with its mappings, or mapping files alone. Opens nothing. All problems at once.",
  options: {
    config: { type: "string", short: "c", value: "FILE", summary: "the gateway's configuration" },
    models: { type: "string", value: "FOLDER", summary: "further OMA object definitions, with mapping files" },
    json: { type: "boolean", summary: "prints the problems as JSON" },
  },
  positionals: "some",
  async run(args, io) {
    const { problems, notes } = await findProblems(args);
    for (const { path, what, at } of problems) {
      const other = what === "unknown key" ? OTHER_KIND[path] : undefined;
      if (other !== undefined) io.err(`note: ${at.file} is ${other}`);
    }
    for (const note of notes) io.err(`note: ${formatProblem(note)}`);
    if (args.values["json"] === true) io.out(JSON.stringify(problems));
    else for (const problem of problems) io.out(formatProblem(problem));
    if (problems.length > 0) return EXIT.badConfiguration;
    if (args.values["json"] !== true) io.err("no problems");
    return EXIT.good;
  },
};

/** By a key that only the other kind of file begins with. */
const OTHER_KIND: Readonly<Record<string, string>> = {
  gateway: "a gateway's configuration: check it with -c",
  profile: "a mapping file: check it without -c",
};

async function findProblems(args: Arguments): Promise<Pick<ReadConfig, "problems" | "notes">> {
  const file = text(args, "config");
  if (file === undefined && args.positionals.length === 0) {
    throw new CausewayError("USAGE", "check needs -c FILE or mapping files");
  }
  const problems: Problem[] = [];
  const config = file === undefined ? undefined : await readConfig(file);
  if (config !== undefined) problems.push(...config.problems);
  const notes = [...(config?.notes ?? [])];
  if (args.positionals.length === 0) return { problems, notes };
  const { adapters, models } = await mappingContext(text(args, "models"));
  for (const mapping of args.positionals) {
    const read = readProfileFile(mapping, adapters, models);
    problems.push(...(await read.catch((error: unknown) => unreadMapping(mapping, error))).problems);
  }
  return { problems, notes };
}

/** A file that cannot be read says nothing of the others. */
function unreadMapping(file: string, error: unknown): Pick<ReadConfig, "problems"> {
  if (!(error instanceof CausewayError) || error.code !== "CONFIG_UNREADABLE") throw error;
  const what = error.message.replace(`${file} `, "");
  return { problems: [{ at: { file, line: 1, column: 1 }, path: "", what, hint: ERROR_TABLE[error.code].remedy }] };
}

/** Prints what is wrong and gives undefined, or gives the configuration. */
export async function readGoodConfig(args: Arguments, io: Io) {
  const file = text(args, "config");
  if (file === undefined) throw new CausewayError("USAGE", "-c FILE is missing");
  const { config, problems, notes } = await readConfig(file);
  for (const note of notes) io.err(`note: ${formatProblem(note)}`);
  for (const problem of problems) io.err(formatProblem(problem));
  return config;
}
