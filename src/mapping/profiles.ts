import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CausewayError, toError } from "../base/errors.js";
import { packageRoot } from "../base/package-root.js";
import { near, Problems } from "../base/schema.js";
import { type Problem, parseSource } from "../base/source.js";
import type { ModelRegistry } from "../lwm2m/model/model.js";
import type { Profile } from "./profile.js";
import { type AdapterLookup, readProfile } from "./profile-reader.js";

/** Where the profiles lie that come with Causeway. */
export function shippedMappings(): string {
  return join(packageRoot(), "mappings");
}

/** One mapping file on its own: what `causeway check MAPPING.yaml` reads. */
export async function readProfileFile(
  file: string,
  adapters: AdapterLookup,
  models: ModelRegistry,
): Promise<{ readonly profile?: Profile; readonly problems: readonly Problem[] }> {
  const problems = new Problems();
  const { root, problems: syntax } = parseSource(await readText(file), file);
  problems.list.push(...syntax);
  if (root === undefined && syntax.length === 0) problems.add({ file, line: 1, column: 1 }, "", "the file is empty");
  const profile = root === undefined ? undefined : readProfile(root, adapters, models, problems);
  return { ...(profile === undefined ? {} : { profile }), problems: problems.list };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CausewayError("CONFIG_UNREADABLE", `${file}: ${toError(error).message}`, { cause: error });
  }
}

/** The name without parsing the file, which may have mistakes elsewhere; block style, flow style and JSON. */
const PROFILE_NAME = /^[\s{]*["']?profile["']?:\s*["']?([^"'\s#,}]+)/m;

const ADAPTER_NAME = /^[\s{]*["']?adapter["']?:\s*["']?([^"'\s#,}]+)/m;

export interface ProfileHead {
  readonly profile: string;
  readonly adapter: string | undefined;
}

/** The names at the head of a mapping file, whatever else is wrong with it; undefined when it is none. */
export async function profileHeadOf(file: string): Promise<ProfileHead | undefined> {
  const text = await readText(file);
  const profile = PROFILE_NAME.exec(text)?.[1];
  return profile === undefined ? undefined : { profile, adapter: ADAPTER_NAME.exec(text)?.[1] };
}

/** Finds profiles by name; a file is read only when a device asks for it, or all files when names are needed. */
export class ProfileShelf {
  readonly #adapters: AdapterLookup;
  readonly #models: ModelRegistry;
  readonly #files: readonly string[];
  readonly #byName = new Map<string, ProfileHead & { readonly file: string }>();

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
      const head = await profileHeadOf(file);
      if (head !== undefined && !shelf.#byName.has(head.profile)) shelf.#byName.set(head.profile, { ...head, file });
    }
    return shelf;
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()].sort();
  }

  get files(): readonly string[] {
    return this.#files;
  }

  /** Where the profile stands that counts. */
  fileOf(name: string): string | undefined {
    return this.#byName.get(name)?.file;
  }

  adapterOf(name: string): string | undefined {
    return this.#byName.get(name)?.adapter;
  }

  /** The nearest name, for a hint. */
  near(name: string): string | undefined {
    return near(name, this.names);
  }

  /** Undefined when no file has a profile of this name. */
  async read(name: string): Promise<{ readonly profile?: Profile; readonly problems: readonly Problem[] } | undefined> {
    const file = this.fileOf(name);
    return file === undefined ? undefined : readProfileFile(file, this.#adapters, this.#models);
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
    throw new CausewayError("CONFIG_UNREADABLE", `${folder}: ${toError(error).message}`, { cause: error });
  }
}
