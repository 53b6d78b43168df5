import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { toError } from "../base/errors.js";
import { Problems, type WithSource } from "../base/schema.js";
import { type Located, type Problem, parseSource } from "../base/source.js";
import { unreadable } from "../base/unreadable.js";
import type { ModelRegistry } from "../lwm2m/model/model.js";
import { loadModels } from "../lwm2m/model/models.js";
import { ProfileShelf, shippedMappings } from "../mapping/profiles.js";
import { AdapterShelf, type LoadAdapter } from "./adapters.js";
import { readBootstrap } from "./bootstrap.js";
import type { GatewayConfig, OutboxConfig } from "./config.js";
import { readDevices } from "./devices.js";
import { FURTHER_OBJECTS, objectAdapters } from "./further-objects.js";
import { type ConfigFile, configFile, DEFAULT_LISTEN, type GatewaySection } from "./gateway-schema.js";
import { linkAdapters, readLinks } from "./links.js";
import { readServers } from "./servers.js";

export interface ReadConfig {
  /** Present when there is no problem. */
  readonly config?: GatewayConfig;
  readonly problems: readonly Problem[];
  /** What is worth knowing and no mistake: a profile that goes ahead of another one, an old name. */
  readonly notes: readonly Problem[];
}

/**
 * Reads the gateway's file, the adapters, models and profiles it names, and checks everything; opens nothing else.
 * Every problem of all files comes in one run. Rejects only with CONFIG_UNREADABLE.
 */
export async function readConfig(file: string, load?: LoadAdapter): Promise<ReadConfig> {
  const { root, problems } = parseSource(await readText(file), file);
  if (root !== undefined) return await readConfigSource(root, problems, load);
  const empty = { at: { file, line: 1, column: 1 }, path: "", what: "the file is empty" };
  return { problems: problems.length > 0 ? problems : [empty], notes: [] };
}

/** As `readConfig`, of what was parsed before with these mistakes of syntax. */
export async function readConfigSource(
  root: Located,
  syntax: readonly Problem[],
  load?: LoadAdapter,
): Promise<ReadConfig> {
  const problems = new Problems();
  problems.list.push(...syntax);
  const { file } = root.at;
  const read = readFileOf(root, problems);
  if (read === undefined) return { problems: problems.list, notes: [] };
  const gateway = read.gateway?.value;
  const base = dirname(resolve(file));
  const models = await readModels(gateway?.models, base, problems);
  const adapters = new AdapterShelf(load);
  await adapters.load([...linkAdapters(read.links), ...objectAdapters(gateway?.objects ?? [])]);
  const links = readLinks(read.links ?? new Map(), adapters, problems);
  const folders = [...(await readableFolders(read.mappings ?? [], base, problems)), shippedMappings()];
  const shelf = await ProfileShelf.open(folders, adapters, models);
  // Of a profile on a wrong link, too: its own mistakes are told as well.
  await adapters.load(profileAdapters(read, shelf));
  for (const [{ profile, at }, over] of shelf.overridden) {
    problems.note(at, "profile", `'${profile}' goes ahead of that in ${over.file}`);
  }
  const devices = await readDevices(read.devices ?? [], {
    links,
    shelf,
    gateway: {
      endpoint: gateway?.endpoint ?? "",
      mode: gateway?.expose ?? "flat",
      objects: (gateway?.objects ?? []).map((object) => FURTHER_OBJECTS[object]),
    },
    problems,
  });
  const bootstrap = read.bootstrap === undefined ? undefined : readBootstrap(read.bootstrap, problems);
  const servers = readServers(read.servers ?? [], bootstrap, problems);
  const { notes } = problems;
  if (problems.list.length > 0 || gateway === undefined) return { problems: problems.list, notes };
  const config = {
    file,
    ...settingsOf(gateway, base),
    servers,
    ...(bootstrap === undefined ? {} : { bootstrap }),
    links: [...links.values()].map(({ config }) => config),
    devices,
    outbox: outboxOf(read.outbox),
    ...(read.local === undefined ? {} : { local: read.local.listen ?? DEFAULT_LISTEN }),
    adapters: adapters.loaded,
    models,
  };
  return { problems: [], notes, config };
}

function profileAdapters({ devices = [] }: ConfigFile, shelf: ProfileShelf): readonly string[] {
  return devices.map(({ value }) => shelf.adapterOf(value.profile)).filter((name) => name !== undefined);
}

/** Undefined when nothing in the file can be used. */
function readFileOf(root: Located, problems: Problems): ConfigFile | undefined {
  const read = configFile.read(root, "", problems);
  if (read === undefined || root.kind !== "map") return undefined;
  const keys = new Set(root.entries.map((entry) => entry.key));
  if (!keys.has("gateway")) problems.add(root.at, "", "'gateway' is missing");
  if (!keys.has("servers") && !keys.has("bootstrap")) problems.add(root.at, "", "'servers' or 'bootstrap' is missing");
  return read;
}

function settingsOf(gateway: GatewaySection, base: string) {
  return {
    endpoint: gateway.endpoint,
    alternatePath: gateway.path?.split("/") ?? [],
    stateFolder: resolve(base, gateway.state ?? "/var/lib/causeway"),
    logLevel: gateway.log ?? "info",
    onStop: gateway.onStop ?? "deregister",
    objects: new Set(gateway.objects),
    conformance: gateway.conformance ?? "none",
  } as const;
}

function outboxOf({ maxSize, maxAge, overflow }: NonNullable<ConfigFile["outbox"]> = {}): OutboxConfig {
  return {
    maxBytes: maxSize ?? 256 * 1024 ** 2,
    maxAgeMs: maxAge ?? 30 * 86_400_000,
    overflow: overflow ?? "drop-oldest",
  };
}

/** The user's object definitions on top of the shipped ones; without the user's when they cannot be used. */
async function readModels(
  folder: WithSource<string> | undefined,
  base: string,
  problems: Problems,
): Promise<ModelRegistry> {
  if (folder === undefined) return loadModels();
  try {
    return await loadModels(resolve(base, folder.value));
  } catch (error) {
    problems.add(folder.source.at, "gateway.models", toError(error).message);
    return loadModels();
  }
}

async function readableFolders(
  folders: readonly WithSource<string>[],
  base: string,
  problems: Problems,
): Promise<readonly string[]> {
  const readable: string[] = [];
  for (const [index, { value, source }] of folders.entries()) {
    const folder = resolve(base, value);
    try {
      await access(folder, constants.R_OK);
      readable.push(folder);
    } catch (error) {
      problems.add(source.at, `mappings[${index}]`, unreadable(folder, error).message);
    }
  }
  return readable;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** What a mapping file needs on its own, without a gateway's configuration. */
export async function mappingContext(
  modelsFolder?: string,
): Promise<{ readonly adapters: AdapterShelf; readonly models: ModelRegistry }> {
  const adapters = new AdapterShelf();
  await adapters.loadShipped();
  return { adapters, models: await loadModels(modelsFolder) };
}
