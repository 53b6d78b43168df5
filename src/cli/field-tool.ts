import { systemClock } from "../base/clock.js";
import { didYouMean } from "../base/did-you-mean.js";
import { CausewayError } from "../base/errors.js";
import { formatProblem } from "../base/source.js";
import { AdapterShelf } from "../config/adapters.js";
import { mappingContext } from "../config/read.js";
import type { AnyAdapter } from "../field/adapter.js";
import type { FieldTool, Finding, ProfileCandidate } from "../field/tool.js";
import { profileCandidate } from "../mapping/candidate.js";
import { ProfileShelf, shippedMappings } from "../mapping/profiles.js";
import { type Arguments, type Command, EXIT, type Io, text } from "./command.js";
import { FindingTable } from "./finding-table.js";
import { plainLog } from "./plain-log.js";

/** What an adapter can do for a person at the command line. */
export type ToolName = "scan" | "read";

const SUMMARY: Readonly<Record<ToolName, string>> = {
  scan: "Looks for devices, and for the profiles that fit them.",
  read: "Reads from a device that no profile knows, and shows what the bytes could mean.",
};

/**
 * `causeway scan ADAPTER …`: the command with the options of that adapter's tool. Without the name of an adapter, or
 * with one that has no such tool, the command only tells which there are.
 */
export async function fieldToolCommand(name: ToolName, words: readonly string[]): Promise<Command> {
  const adapters = new AdapterShelf();
  if (words[0] === undefined) await adapters.loadShipped();
  else await adapters.load([words[0]]);
  const adapter = adapters.get(words[0] ?? "");
  const tool = await adapter?.[name]?.();
  if (adapter === undefined || tool === undefined) return await whichAdapter(name, adapters, words[0]);
  return {
    name: `${name} ${adapter.name}`,
    synopsis: tool.synopsis,
    summary: tool.summary,
    options: {
      ...tool.options,
      mappings: { type: "string", value: "FOLDER", summary: "profiles of your own, ahead of the shipped ones" },
      json: { type: "boolean", summary: "prints an object per line" },
    },
    positionals: "some",
    run: async ({ values, positionals }, io) =>
      await runTool(adapter, tool, { values, positionals: positionals.slice(1) }, io),
  };
}

/** Throws USAGE for a name that is none of those that have such a tool. */
async function whichAdapter(name: ToolName, adapters: AdapterShelf, asked: string | undefined): Promise<Command> {
  await adapters.loadShipped();
  const able = [...adapters.loaded.values()].filter((adapter) => adapter[name] !== undefined);
  const names = able.map((adapter) => adapter.name);
  const all = `there are: ${names.map((one) => `${name} ${one}`).join(", ")}`;
  if (asked !== undefined && !asked.startsWith("-")) {
    const guess = didYouMean(asked, names);
    throw new CausewayError(
      "USAGE",
      `there is no '${name} ${asked}' (${guess === undefined ? all : `did you mean '${name} ${guess}'?`})`,
    );
  }
  return {
    name,
    synopsis: `${names.join("|")} …`,
    summary: SUMMARY[name],
    options: {},
    positionals: "some",
    run: () => Promise.reject(new CausewayError("USAGE", `${name} what? ${all}`)),
  };
}

async function runTool(adapter: AnyAdapter, tool: FieldTool<unknown>, args: Arguments, io: Io): Promise<number> {
  const table = args.values["json"] === true ? undefined : new FindingTable();
  let count = 0;
  const found = (...findings: readonly Finding[]): void => {
    count += findings.length;
    const lines = table?.add(...findings) ?? findings.map((finding) => JSON.stringify(finding));
    for (const line of lines) io.out(line);
  };
  const log = plainLog(io);
  const context = {
    clock: systemClock,
    log,
    profiles: await profileCandidates(adapter, args, io),
    found,
    progress: (what: string) => io.progress?.(what),
  };
  try {
    await tool.run(args, context, io.signal);
  } finally {
    io.progress?.("");
  }
  if (io.signal.aborted) io.err("stopped before the end");
  else if (count === 0) io.err(["nothing was found", tool.whenNothing].filter((text) => text !== undefined).join("; "));
  return EXIT.good;
}

/** The profiles of an adapter, those of `--mappings` ahead; what is wrong with one is printed. */
export async function profileCandidates(
  adapter: AnyAdapter,
  args: Arguments,
  io: Io,
): Promise<readonly ProfileCandidate<unknown>[]> {
  const own = text(args, "mappings");
  const { adapters, models } = await mappingContext();
  await adapters.load([adapter.name]);
  const folders = [...(own === undefined ? [] : [own]), shippedMappings()];
  const shelf = await ProfileShelf.open(folders, adapters, models);
  const found: ProfileCandidate<unknown>[] = [];
  for (const name of shelf.names) {
    if (shelf.adapterOf(name) !== adapter.name) continue;
    const { profile, problems = [] } = (await shelf.read(name)) ?? {};
    for (const problem of problems) io.err(formatProblem(problem));
    if (profile !== undefined) found.push(profileCandidate(profile));
  }
  return found;
}
