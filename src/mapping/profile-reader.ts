import { object } from "../base/object-schema.js";
import { childPath, near, Problems } from "../base/schema.js";
import type { Located } from "../base/source.js";
import type { AnyAdapter } from "../field/adapter.js";
import type { ModelRegistry } from "../lwm2m/model/model.js";
import { parametersOf, substitute, valuesOf } from "./parameters.js";
import type { Profile } from "./profile.js";
import { readProbe, readTraits } from "./profile-head.js";
import { readObjects } from "./profile-objects.js";
import { readPoints } from "./profile-points.js";
import { type ProfileFile, profileFile, profileHead, profileOptions } from "./profile-schema.js";
import type { Word } from "./value-map.js";

/** Gives undefined for an adapter that is not installed; `names` are those that are, for the hint. */
export interface AdapterLookup {
  get(name: string): AnyAdapter | undefined;
  keys(): Iterable<string>;
}

/**
 * Reads and checks a mapping file completely. Undefined only when there are problems; problems may also come with a
 * profile that is usable apart from them, so the caller looks at `problems`. `parameters` are those of a device; without
 * them a default or an example stands for each.
 */
export function readProfile(
  asWritten: Located,
  adapters: AdapterLookup,
  models: ModelRegistry,
  problems: Problems,
  parameters: ReadonlyMap<string, Word> = new Map(),
): Profile | undefined {
  const declared = parametersOf(asWritten, new Problems());
  const source = substitute(asWritten, valuesOf(declared, parameters), problems);
  const file = profileFile.read(source, "", problems);
  const draft = file ?? salvage(source);
  if (draft === undefined) return undefined;
  const adapter = adapters.get(draft.adapter.value);
  if (adapter === undefined) {
    const hint = near(draft.adapter.value, [...adapters.keys()]) ?? `installed: ${[...adapters.keys()].join(", ")}`;
    problems.add(draft.adapter.source.at, "adapter", `no adapter '${draft.adapter.value}'`, hint);
    return undefined;
  }
  const traits = readTraits(draft, adapter, problems);
  const { points, derived } = readPoints(draft.points, adapter, traits, problems);
  if (file === undefined) return undefined;
  const complaint = adapter.traitsProblem?.(traits);
  if (complaint !== undefined) problems.add(source.at, "", complaint);
  for (const [name, { source: place }] of file.verify ?? []) {
    if (file.points.has(name)) continue;
    const hint = near(name, [...file.points.keys()]);
    problems.add(place.at, childPath("verify", name), `no point '${name}'`, hint);
  }
  return {
    name: file.profile,
    title: file.title,
    adapter: adapter.name,
    file: source.at.file,
    traits,
    probe: readProbe(file.probe ?? [], adapter, traits, problems),
    points,
    derived,
    objects: readObjects(file.objects, { points, derived, declared: file.points, adapter, models, problems }),
    verify: new Map([...(file.verify ?? [])].map(([name, { value }]) => [name, value])),
    caveats: file.caveats ?? [],
    ...(file.deprecated === undefined ? {} : { deprecated: file.deprecated }),
  };
}

const salvageable = object(
  { adapter: profileHead.adapter, points: profileHead.points },
  { protocol: profileOptions.protocol },
);

/** The points are worth checking even when the head of the file has a mistake. */
function salvage(source: Located): Pick<ProfileFile, "adapter" | "points" | "protocol"> | undefined {
  if (source.kind !== "map") return undefined;
  const entries = source.entries.filter(({ key }) => key in { ...salvageable.required, ...salvageable.optional });
  const alreadyReported = new Problems();
  return salvageable.read({ ...source, entries }, "", alreadyReported);
}
