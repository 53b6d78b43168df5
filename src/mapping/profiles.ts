import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../base/package-root.js";
import { near, Problems } from "../base/schema.js";
import { type ParsedSource, type Problem, parseSource } from "../base/source.js";
import { unreadable } from "../base/unreadable.js";
import type { ModelRegistry } from "../lwm2m/model/model.js";
import { type Parameters, parametersOf } from "./parameters.js";
import type { Profile } from "./profile.js";
import { type ProfileHead, profileHeadOf, readText } from "./profile-names.js";
import { type AdapterLookup, readProfile } from "./profile-reader.js";
import type { Word } from "./value-map.js";

/** Where the profiles lie that come with Causeway. */
export function shippedMappings(): string {
  return join(packageRoot(), "mappings");
}

export interface ReadProfile {
  /** Absent only when there are problems. */
  readonly profile?: Profile;
  readonly problems: readonly Problem[];
  /** What a device may say for the profile. */
  readonly parameters: Parameters;
}

/** One mapping file on its own: what `causeway check MAPPING.yaml` reads. */
export async function readProfileFile(
  file: string,
  adapters: AdapterLookup,
  models: ModelRegistry,
): Promise<ReadProfile> {
  return readParsed(parseSource(readText(file), file), file, adapters, models);
}

function readParsed(
  { root, problems: syntax }: ParsedSource,
  file: string,
  adapters: AdapterLookup,
  models: ModelRegistry,
  values?: ReadonlyMap<string, Word>,
): ReadProfile {
  const problems = new Problems();
  problems.list.push(...syntax);
  if (root === undefined && syntax.length === 0) problems.add({ file, line: 1, column: 1 }, "", "the file is empty");
  const profile = root === undefined ? undefined : readProfile(root, adapters, models, problems, values);
  const parameters = root === undefined ? new Map() : parametersOf(root, new Problems());
  return { ...(profile === undefined ? {} : { profile }), problems: problems.list, parameters };
}

/** Finds profiles by name; a file is read only when a device asks for it, or all files when names are needed. */
export class ProfileShelf {
  readonly #adapters: AdapterLookup;
  readonly #models: ModelRegistry;
  readonly #files: readonly string[];
  readonly #byName = new Map<string, ProfileHead>();
  /** Names of before, and those that stand in their place. */
  readonly #replaced = new Map<string, string>();
  readonly #overridden: (readonly [by: ProfileHead, over: ProfileHead])[] = [];
  readonly #parsed = new Map<string, ParsedSource>();

  private constructor(files: readonly string[], adapters: AdapterLookup, models: ModelRegistry) {
    this.#files = files;
    this.#adapters = adapters;
    this.#models = models;
  }

  /**
   * Folders, or single files, in order of precedence: of two profiles with one name the first counts. Rejects with
   * CONFIG_UNREADABLE when one cannot be read.
   */
  static async open(places: readonly string[], adapters: AdapterLookup, models: ModelRegistry): Promise<ProfileShelf> {
    const files = (await Promise.all(places.map(mappingFiles))).flat();
    const shelf = new ProfileShelf(files, adapters, models);
    for (const file of files) {
      const head = profileHeadOf(file);
      if (head !== undefined) shelf.#add(head);
    }
    return shelf;
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()].sort();
  }

  get files(): readonly string[] {
    return this.#files;
  }

  /** Pairs of files of one name: the second is not used. */
  get overridden(): readonly (readonly [by: ProfileHead, over: ProfileHead])[] {
    return this.#overridden;
  }

  /** The name that stands in the place of an old one; undefined for a name of today. */
  replacementOf(name: string): string | undefined {
    return this.#byName.has(name) ? undefined : this.#replaced.get(name);
  }

  /** Where the profile stands that counts. */
  fileOf(name: string): string | undefined {
    return this.#headOf(name)?.file;
  }

  adapterOf(name: string): string | undefined {
    return this.#headOf(name)?.adapter;
  }

  /** The nearest name, for a hint. */
  near(name: string): string | undefined {
    return near(name, this.names);
  }

  /** `values` are a device's parameters. Undefined when no file has a profile of this name, or replaces one. */
  async read(name: string, values?: ReadonlyMap<string, Word>): Promise<ReadProfile | undefined> {
    const file = this.fileOf(name);
    if (file === undefined) return undefined;
    const parsed = this.#parsed.get(file) ?? parseSource(readText(file), file);
    this.#parsed.set(file, parsed);
    return readParsed(parsed, file, this.#adapters, this.#models, values);
  }

  #add(head: ProfileHead): void {
    const before = this.#byName.get(head.profile);
    if (before !== undefined) {
      this.#overridden.push([before, head]);
      return;
    }
    this.#byName.set(head.profile, head);
    for (const old of head.replaces) if (!this.#replaced.has(old)) this.#replaced.set(old, head.profile);
  }

  #headOf(name: string): ProfileHead | undefined {
    return this.#byName.get(name) ?? this.#byName.get(this.#replaced.get(name) ?? "");
  }
}

async function mappingFiles(folder: string): Promise<readonly string[]> {
  try {
    if ((await stat(folder)).isFile()) return [folder];
    const names = await readdir(folder, { recursive: true });
    return names
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    throw unreadable(folder, error);
  }
}
