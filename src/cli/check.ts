import { CausewayError } from "../base/errors.js";
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
    for (const note of notes) io.err(`note: ${formatProblem(note)}`);
    if (args.values["json"] === true) io.out(JSON.stringify(problems));
    else for (const problem of problems) io.out(formatProblem(problem));
    if (problems.length > 0) return EXIT.badConfiguration;
    if (args.values["json"] !== true) io.err("no problems");
    return EXIT.good;
  },
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
    problems.push(...(await readProfileFile(mapping, adapters, models)).problems);
  }
  return { problems, notes };
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
