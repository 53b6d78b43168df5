import { modbus } from "../../adapters/modbus/index.js";
import { Problems } from "../../src/base/schema.js";
import { formatProblem, parseSource } from "../../src/base/source.js";
import { type AnyAdapter, defineAdapter } from "../../src/field/adapter.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import type { Profile } from "../../src/mapping/profile.js";
import { readProfile } from "../../src/mapping/profile-reader.js";
import { fakeAdapter } from "./fake-adapter.js";

const models = await loadModels();
const adapters: ReadonlyMap<string, AnyAdapter> = new Map([
  ["fake", fakeAdapter],
  ["modbus", defineAdapter(modbus)],
]);

export interface ReadText {
  readonly profile: Profile | undefined;
  readonly problems: readonly string[];
}

/** A mapping file as text; its name is m.yaml. */
export function readText(text: string): ReadText {
  const problems = new Problems();
  const { root, problems: syntax } = parseSource(text, "m.yaml");
  problems.list.push(...syntax);
  const profile = root === undefined ? undefined : readProfile(root, adapters, models, problems);
  return { profile, problems: problems.list.map(formatProblem) };
}

/** Throws unless the text has no mistake. */
export function goodProfile(text: string): Profile {
  const { profile, problems } = readText(text);
  if (profile === undefined || problems.length > 0) throw new Error(problems.join("\n"));
  return profile;
}
