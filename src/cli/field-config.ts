import { resolve } from "node:path";
import { CausewayError } from "../base/errors.js";
import { formatProblem, type Located, type LocatedEntry, parseSource } from "../base/source.js";
import type { GatewayConfig } from "../config/config.js";
import { mappingContext, readConfigSource } from "../config/read.js";
import { type ProfileHead, profileHeadOf } from "../mapping/profile-names.js";
import { ProfileShelf, shippedMappings } from "../mapping/profiles.js";
import { readGoodConfig } from "./check.js";
import { type Arguments, type Io, type OptionSpec, text } from "./command.js";

/** Options of the commands that work on the devices of a configuration, or on one mapping with a link and a station. */
export const FIELD_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  config: { type: "string", short: "c", value: "FILE", summary: "the gateway's configuration" },
  mapping: { type: "string", short: "m", value: "FILE|NAME", summary: "a mapping file or profile, without a gateway" },
  link: { type: "string", value: "'{…}'", summary: "with -m: the link, as in a configuration: {host: plc, …}" },
  parameters: { type: "string", value: "'{…}'", summary: "with -m: what the profile asks for: {id: 7}" },
  station: { type: "string", value: "'{…}'", summary: "with -m: the device's address: {unit: 7}" },
};

const DEVICE = "device";

/** Prints what is wrong and gives undefined, or gives a configuration, of which only the field part counts. */
export async function readFieldConfig(args: Arguments, io: Io): Promise<GatewayConfig | undefined> {
  const mapping = text(args, "mapping");
  if (mapping === undefined && text(args, "config") === undefined) {
    throw new CausewayError("USAGE", "give -c FILE, or -m MAPPING with --link '{…}' and --station '{…}'");
  }
  if (mapping === undefined) return await readGoodConfig(args, io);
  if (text(args, "config") !== undefined) throw new CausewayError("USAGE", "either -c or -m, not both");
  const isFile = /\.ya?ml$/.test(mapping);
  const named = isFile ? profileHeadOf(mapping) : await shippedHeadOf(mapping);
  if (named === undefined) throw new CausewayError("USAGE", `${mapping} is no mapping file: 'profile' is missing`);
  const link = flow(args, "link");
  const adapter =
    entryOf(link, "adapter") ?? (named.adapter === undefined ? undefined : word("adapter", named.adapter));
  const root = mapOf([
    { ...word("gateway", ""), value: mapOf([word("endpoint", "causeway"), word("state", ".")]) },
    { ...word("servers", ""), value: listOf([mapOf([word("uri", "coap://127.0.0.1")])]) },
    ...(isFile ? [{ ...word("mappings", ""), value: listOf([word("", resolve(mapping)).value]) }] : []),
    { ...word("links", ""), value: mapOf([{ ...word("link", ""), value: withEntry(link, adapter) }]) },
    {
      ...word("devices", ""),
      value: listOf([
        mapOf([
          word("name", DEVICE),
          word("link", "link"),
          word("profile", named.profile),
          { ...word("address", ""), value: flow(args, "station") },
          { ...word("parameters", ""), value: flow(args, "parameters") },
        ]),
      ]),
    },
  ]);
  const { config, problems } = await readConfigSource(root, []);
  // What is wrong with the link has been told; that the device misses it says no more.
  const told = problems.filter(({ path }) => path !== "devices[0].link");
  for (const problem of told.length === 0 ? problems : told) io.err(formatProblem(problem));
  return config;
}

/** The devices that the words name, or all; throws USAGE for a name that is not there. */
export function chosenDevices({ devices }: GatewayConfig, names: readonly string[]): GatewayConfig["devices"] {
  for (const name of names) {
    if (devices.some(({ field }) => field.name === name)) continue;
    const known = devices.map(({ field }) => field.name).join(", ");
    throw new CausewayError("USAGE", `no device '${name}' (known: ${known})`);
  }
  return names.length === 0 ? devices : devices.filter(({ field }) => names.includes(field.name));
}

async function shippedHeadOf(name: string): Promise<Pick<ProfileHead, "profile" | "adapter">> {
  const { adapters, models } = await mappingContext();
  const shelf = await ProfileShelf.open([shippedMappings()], adapters, models);
  const file = shelf.fileOf(name);
  if (file !== undefined) return profileHeadOf(file) ?? { profile: name, adapter: undefined };
  throw new CausewayError(
    "USAGE",
    `no profile '${name}' (${shelf.near(name) ?? "'causeway profiles list' shows all"})`,
  );
}

const AT = { file: "command line", line: 1, column: 1 } as const;

function word(key: string, value: string): LocatedEntry {
  return { key, keyAt: AT, value: { kind: "scalar", at: AT, value } };
}

function mapOf(entries: readonly LocatedEntry[]): Located {
  return { kind: "map", at: AT, entries };
}

function listOf(items: readonly Located[]): Located {
  return { kind: "list", at: AT, items };
}

function flow(args: Arguments, name: string): Located {
  const { root, problems } = parseSource(text(args, name) ?? "{}", `--${name}`);
  const [problem] = problems;
  if (problem !== undefined) throw new CausewayError("USAGE", formatProblem(problem));
  return root ?? mapOf([]);
}

function entryOf(source: Located, key: string): LocatedEntry | undefined {
  return source.kind === "map" ? source.entries.find((entry) => entry.key === key) : undefined;
}

function withEntry(source: Located, entry: LocatedEntry | undefined): Located {
  if (source.kind !== "map" || entry === undefined || entryOf(source, entry.key) !== undefined) return source;
  return { ...source, entries: [...source.entries, entry] };
}
