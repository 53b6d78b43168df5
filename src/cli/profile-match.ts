import { systemClock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import { Problems, type Schema } from "../base/schema.js";
import { resolveSecret } from "../base/secrets.js";
import { formatProblem, parseSource } from "../base/source.js";
import { AdapterShelf } from "../config/adapters.js";
import type { AnyAdapter, Link, Reading } from "../field/index.js";
import type { ProfileCandidate } from "../field/tool.js";
import { columns } from "./columns.js";
import { type Arguments, EXIT, type Io, text } from "./command.js";
import { profileCandidates } from "./field-tool.js";
import { plainLog } from "./plain-log.js";

/** How a profile goes with what a station says. */
interface Match {
  readonly profile: string;
  readonly title: string;
  readonly by: "probe" | "verify";
  readonly holds: number;
  readonly asked: number;
  /** The first value that was not as the profile has it. */
  readonly but?: string;
}

/** So many values are read to compare; more would tell little more. */
const MAX_VALUES = 8;
const MAX_ROWS = 12;
/** A station that never said a word by then is not there. */
const MAX_SILENT = 3;

/** `causeway profiles match ADAPTER`: what each profile expects of a station, and how much of it holds there. */
export async function matchProfiles(adapterName: string | undefined, args: Arguments, io: Io): Promise<number> {
  const adapters = new AdapterShelf();
  if (adapterName !== undefined) await adapters.load([adapterName]);
  const adapter = adapters.get(adapterName ?? "");
  if (adapter === undefined) throw new CausewayError("USAGE", "profiles match ADAPTER --link '{…}' --station '{…}'");
  const options = fromOption(adapter.link, "link", args);
  const complaint = adapter.linkProblem?.(options);
  if (complaint !== undefined) throw new CausewayError("USAGE", `--link: ${complaint}`);
  const address = fromOption(adapter.station, "station", args);
  const candidates = polled(adapter, options, address, await profileCandidates(adapter, args, io));
  if (candidates.length === 0) {
    throw new CausewayError("USAGE", `devices of ${adapter.name} speak on their own: 'causeway scan ${adapter.name}'`);
  }
  const secret = (reference: string): Promise<string> => resolveSecret(reference, io.environment);
  const context = { name: "match", clock: systemClock, log: plainLog(io), secret };
  await using link = await adapter.open(options, context, io.signal);
  const matches: Match[] = [];
  const station = new AskedStation(link, address, io.signal);
  try {
    for (const [index, candidate] of candidates.entries()) {
      io.progress?.(`${index + 1} of ${candidates.length}: ${candidate.name}`);
      matches.push(await station.match(candidate));
    }
  } catch (error) {
    // What is known by then is told.
    if (!io.signal.aborted) throw error;
    io.err("stopped before the end");
  } finally {
    io.progress?.("");
  }
  print(matches, args, io);
  return EXIT.good;
}

/** Those that tell what to expect, of points that are asked for. */
function polled(
  adapter: AnyAdapter,
  options: unknown,
  address: unknown,
  candidates: readonly ProfileCandidate<unknown>[],
): readonly ProfileCandidate<unknown>[] {
  return candidates.filter(({ name, traits, probe, plausible }) => {
    const points = [...probe, ...plausible].map(({ point }) => point);
    return points.length > 0 && adapter.plan(options, { name, address, traits }, points).length > 0;
  });
}

class AskedStation {
  readonly #link: Link<unknown, unknown>;
  readonly #address: unknown;
  readonly #signal: AbortSignal;
  #answers = 0;
  #silences = 0;

  constructor(link: Link<unknown, unknown>, address: unknown, signal: AbortSignal) {
    this.#link = link;
    this.#address = address;
    this.#signal = signal;
  }

  /** Rejects with LINK_*, with FIELD_TIMEOUT when the station is not there, or the signal's reason. */
  async match({ name: profile, title, traits, probe, plausible }: ProfileCandidate<unknown>): Promise<Match> {
    const expectations = probe.length > 0 ? probe : plausible.slice(0, MAX_VALUES);
    let holds = 0;
    let but: string | undefined;
    for (const { point, holds: isExpected } of expectations) {
      const station = { name: profile, address: this.#address, traits };
      const [reading] = await this.#link.read(station, [point], this.#signal);
      this.#count(reading);
      if (reading?.quality === "good" && isExpected(reading.value)) holds++;
      else but ??= `${point.name}: ${reading === undefined ? "no value" : missText(reading)}`;
    }
    const by = probe.length > 0 ? "probe" : "verify";
    return { profile, title, by, holds, asked: expectations.length, ...(but === undefined ? {} : { but }) };
  }

  #count(reading: Reading | undefined): void {
    if (reading?.quality === "timeout") this.#silences++;
    else this.#answers++;
    if (this.#answers > 0 || this.#silences < MAX_SILENT) return;
    throw new CausewayError(
      "FIELD_TIMEOUT",
      reading !== undefined && "reason" in reading ? reading.reason : "no answer",
    );
  }
}

function missText(reading: Reading): string {
  return "reason" in reading ? reading.reason : `${String(reading.value)} before scaling`;
}

function print(matches: readonly Match[], args: Arguments, io: Io): void {
  const sorted = matches.toSorted(
    (a, b) =>
      b.holds / b.asked - a.holds / a.asked || Number(b.by === "probe") - Number(a.by === "probe") || b.holds - a.holds,
  );
  if (args.values["json"] === true) {
    io.out(JSON.stringify(sorted));
    return;
  }
  const near = sorted.filter(({ holds }) => holds > 0).slice(0, MAX_ROWS);
  const rows = near.map(({ profile, by, holds, asked, but = "", title }) => [
    profile,
    `${holds} of ${asked}`,
    by,
    but,
    title,
  ]);
  if (matches.length === 0) return;
  if (rows.length === 0) io.err(`none of ${matches.length} profiles has a value that holds`);
  else for (const line of columns([["PROFILE", "HOLDS", "BY", "BUT", "TITLE"], ...rows])) io.out(line);
}

function fromOption<T>(schema: Schema<T>, name: string, args: Arguments): T {
  const { root, problems: syntax } = parseSource(text(args, name) ?? "{}", `--${name}`);
  const problems = new Problems();
  problems.list.push(...syntax);
  const value = root === undefined ? undefined : schema.read(root, "", problems);
  const [problem] = problems.list;
  if (value !== undefined && problem === undefined) return value;
  throw new CausewayError("USAGE", problem === undefined ? `--${name} is empty` : formatProblem(problem));
}
