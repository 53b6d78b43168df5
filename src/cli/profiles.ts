import { CausewayError } from "../base/errors.js";
import { formatProblem } from "../base/source.js";
import { mappingContext } from "../config/read.js";
import type { Parameters } from "../mapping/parameters.js";
import { inputsOf, type Profile, type ResourceSource } from "../mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../mapping/profiles.js";
import { columns } from "./columns.js";
import { type Arguments, type Command, EXIT, type Io, text } from "./command.js";
import { matchProfiles } from "./profile-match.js";

export const profiles: Command = {
  name: "profiles",
  synopsis: "list | search WORD … | show NAME | match ADAPTER --link '{…}' --station '{…}'",
  summary:
    "Shows the mapping files there are: all, those with the words, what one of them reads and feeds, or which fit a device.",
  options: {
    mappings: { type: "string", value: "FOLDER", summary: "a folder of your own, ahead of the shipped ones" },
    models: { type: "string", value: "FOLDER", summary: "further OMA object definitions" },
    link: { type: "string", value: "'{…}'", summary: "for match: the link, as in a configuration" },
    station: { type: "string", value: "'{…}'", summary: "for match: the device's address: {unit: 7}" },
    json: { type: "boolean", summary: "prints JSON" },
  },
  positionals: "some",
  async run(args, io) {
    const [verb = "list", ...words] = args.positionals;
    const surplus = words[verb === "list" ? 0 : verb === "search" ? words.length : 1];
    if (surplus !== undefined) throw new CausewayError("USAGE", `profiles ${verb} takes no '${surplus}'`);
    if (verb === "match") return await matchProfiles(words[0], args, io);
    const shelf = await openShelf(args);
    switch (verb) {
      case "list":
        return list(await readAll(shelf, io), [], args, io);
      case "search":
        return list(await readAll(shelf, io), words, args, io);
      case "show":
        return await show(shelf, words, args, io);
      default:
        throw new CausewayError("USAGE", `profiles list, search, show or match, not '${verb}'`);
    }
  },
};

async function openShelf(args: Arguments): Promise<ProfileShelf> {
  const own = text(args, "mappings");
  const { adapters, models } = await mappingContext(text(args, "models"));
  return await ProfileShelf.open([...(own === undefined ? [] : [own]), shippedMappings()], adapters, models);
}

async function readAll(shelf: ProfileShelf, io: Io): Promise<readonly Profile[]> {
  const read: Profile[] = [];
  for (const name of shelf.names) {
    const { profile, problems = [] } = (await shelf.read(name)) ?? {};
    for (const problem of problems) io.err(formatProblem(problem));
    if (profile !== undefined) read.push(profile);
  }
  return read;
}

function list(all: readonly Profile[], words: readonly string[], args: Arguments, io: Io): number {
  const found = all.filter((profile) => words.every((word) => haystack(profile).includes(word.toLowerCase())));
  if (args.values["json"] === true) {
    io.out(
      JSON.stringify(
        found.map(({ name, title, adapter, file, points }) => ({ name, title, adapter, file, points: points.size })),
      ),
    );
    return EXIT.good;
  }
  const rows = found.map(({ name, adapter, points, title }) => [name, adapter, String(points.size), title]);
  for (const line of columns([["PROFILE", "ADAPTER", "POINTS", "TITLE"], ...rows])) io.out(line);
  if (found.length === 0) io.err("no profile has these words; 'causeway profiles list' shows all");
  return EXIT.good;
}

function haystack({ name, title, adapter, points, caveats }: Profile): string {
  return [name, title, adapter, ...points.keys(), ...caveats].join("\n").toLowerCase();
}

async function show(shelf: ProfileShelf, [name]: readonly string[], args: Arguments, io: Io): Promise<number> {
  if (name === undefined) throw new CausewayError("USAGE", "profiles show NAME");
  const read = await shelf.read(name);
  if (read === undefined)
    throw new CausewayError("USAGE", `no profile '${name}' (${shelf.near(name) ?? "see profiles list"})`);
  for (const problem of read.problems) io.err(formatProblem(problem));
  const { profile } = read;
  if (profile === undefined) return EXIT.badConfiguration;
  if (args.values["json"] === true) io.out(JSON.stringify(describe(profile, read.parameters)));
  else for (const line of profileText(profile, read.parameters)) io.out(line);
  return read.problems.length > 0 ? EXIT.badConfiguration : EXIT.good;
}

/** A profile for programs: plain objects instead of maps. */
function describe(profile: Profile, parameters: Parameters) {
  const { name, title, adapter, file, caveats } = profile;
  return {
    name,
    title,
    adapter,
    file,
    points: [...profile.points.values()].map(({ point, unit, kind }) => ({
      ...point,
      unit,
      kind,
      feeds: feeds(profile, point.name),
    })),
    derived: [...profile.derived.values()].map(({ name: point, expression, unit, kind }) => ({
      name: point,
      expr: expression.text,
      unit,
      kind,
      feeds: feeds(profile, point),
    })),
    parameters: Object.fromEntries(parameters),
    verify: Object.fromEntries(profile.verify),
    caveats,
  };
}

function profileText(profile: Profile, parameters: Parameters): readonly string[] {
  const usually = (name: string): string => profile.verify.get(name)?.join(" to ") ?? "";
  const rows = [...profile.points.values()].map(({ point, unit, when }) => {
    const { name, access, pollClass, address } = point;
    const place = when === undefined ? compact(address) : `${compact(address)}, when ${when.text}`;
    return [name, access, pollClass, unit ?? "", place, feeds(profile, name).join(" "), usually(name)];
  });
  const derived = [...profile.derived.values()].map(({ name, unit, expression }) => [
    name,
    "r",
    "derived",
    unit ?? "",
    expression.text,
    feeds(profile, name).join(" "),
    usually(name),
  ]);
  const settings = [...parameters].map(([name, { default: value, oneOf, note }]) => [
    name,
    value === undefined ? "required" : String(value),
    oneOf?.join(" | ") ?? "",
    note ?? "",
  ]);
  return [
    `${profile.name}: ${profile.title}`,
    `adapter ${profile.adapter}, ${profile.file}`,
    "",
    ...columns([["POINT", "ACCESS", "CLASS", "UNIT", "ADDRESS", "FEEDS", "USUALLY"], ...rows, ...derived]),
    ...(settings.length === 0 ? [] : ["", ...columns([["PARAMETER", "DEFAULT", "CHOICES", "NOTE"], ...settings])]),
    ...(profile.deprecated === undefined ? [] : ["", `! out of use: ${profile.deprecated}`]),
    ...(profile.caveats.length === 0 ? [] : ["", ...profile.caveats.map((caveat) => `! ${caveat}`)]),
  ];
}

/** The resources of the first device's trees that a point feeds, as `3305/0/5800`, and the points that need it. */
function feeds({ objects, points, derived }: Profile, point: string): readonly string[] {
  const fed = (source: ResourceSource): boolean => source.kind === "point" && source.point === point;
  const users = [...points, ...derived].filter(
    ([, datum]) => inputsOf(datum).includes(point) || datum.when?.names.includes(point) === true,
  );
  const resources = objects.flatMap(({ model, ordinal, resources }) =>
    [...resources].filter(([, source]) => fed(source)).map(([id]) => `${model.id}/${ordinal}/${id}`),
  );
  return [...resources, ...users.map(([name]) => name)];
}

function compact(address: unknown): string {
  return JSON.stringify(address).replace(/[{}"]/g, "").replaceAll(",", " ");
}
