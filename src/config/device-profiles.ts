import type { Problems, WithSource } from "../base/schema.js";
import { formatProblem } from "../base/source.js";
import { fitsParameters } from "../mapping/parameters.js";
import type { Profile } from "../mapping/profile.js";
import type { ProfileShelf, ReadProfile } from "../mapping/profiles.js";
import type { DeviceSection } from "./gateway-schema.js";
import { placeOf } from "./place.js";

/** The profiles that devices name, with their parameters; what is wrong with a profile is told once. */
export class DeviceProfiles {
  readonly #shelf: ProfileShelf;
  readonly #problems: Problems;
  /** By name and parameters: devices that say the same share a profile. */
  readonly #read = new Map<string, ReadProfile | undefined>();
  readonly #told = new Set<string>();

  constructor(shelf: ProfileShelf, problems: Problems) {
    this.#shelf = shelf;
    this.#problems = problems;
  }

  /** Undefined when there is none, or it has mistakes, or the device does not say what it needs. */
  async of(section: WithSource<DeviceSection>, path: string): Promise<Profile | undefined> {
    const { profile: name, parameters: given = new Map() } = section.value;
    const values = new Map([...given].map(([parameter, { value }]) => [parameter, value]));
    const key = JSON.stringify([name, ...values]);
    if (!this.#read.has(key)) this.#read.set(key, await this.#shelf.read(name, values));
    const read = this.#read.get(key);
    const at = placeOf(section, "profile");
    if (read === undefined) {
      this.#once(name, () => {
        const hint = this.#shelf.near(name) ?? `known: ${this.#shelf.names.join(", ")}`;
        this.#problems.add(at, `${path}.profile`, `no profile '${name}'`, hint);
      });
      return undefined;
    }
    this.#noteAge(section, path, read);
    const device = { source: section.source, path: `${path}.parameters`, profile: name };
    if (!fitsParameters(given, read.parameters, device, this.#problems)) return undefined;
    if (given.size > 0 && read.problems.length > 0) {
      this.#problems.note(placeOf(section, "parameters"), device.path, `with these '${name}' has mistakes`);
    }
    for (const problem of read.problems) {
      this.#once(formatProblem(problem), () => this.#problems.list.push(problem));
    }
    return read.profile;
  }

  #noteAge(section: WithSource<DeviceSection>, path: string, { profile }: ReadProfile): void {
    const { profile: name } = section.value;
    const at = placeOf(section, "profile");
    const replacement = this.#shelf.replacementOf(name);
    if (replacement !== undefined) {
      this.#problems.note(
        at,
        `${path}.profile`,
        `'${name}' is now '${replacement}'`,
        "name that, the old name will go",
      );
    }
    if (profile?.deprecated !== undefined) {
      this.#problems.note(at, `${path}.profile`, `'${name}' is out of use: ${profile.deprecated}`);
    }
  }

  #once(text: string, tell: () => void): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    tell();
  }
}
