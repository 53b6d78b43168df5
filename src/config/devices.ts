import { childPath, near, type Problems, type WithSource } from "../base/schema.js";
import type { Located } from "../base/source.js";
import type { AnyAdapter } from "../field/adapter.js";
import { datumOf, type Profile } from "../mapping/profile.js";
import type { ProfileShelf } from "../mapping/profiles.js";
import type { Report } from "../mapping/report.js";
import type { ConfiguredDevice, DeviceExposure } from "./config.js";
import { DeviceExposures, type GatewayExposure } from "./device-exposure.js";
import { DeviceProfiles } from "./device-profiles.js";
import { CLIENT_OBJECTS, HOST_OBJECTS } from "./further-objects.js";
import type { DeviceSection } from "./gateway-schema.js";
import type { ReadLink } from "./links.js";
import { readManual } from "./manual-values.js";
import { placeOf } from "./place.js";

interface Context {
  readonly links: ReadonlyMap<string, ReadLink>;
  readonly shelf: ProfileShelf;
  readonly gateway: GatewayExposure;
  readonly problems: Problems;
}

const DEFAULT_POLL = { fastMs: 1000, normalMs: 10_000, slowMs: 300_000 };

/** Joins each device with its link and profile; a profile's own problems are told once, however many devices use it. */
export async function readDevices(
  sections: readonly WithSource<DeviceSection>[],
  context: Context,
): Promise<readonly ConfiguredDevice[]> {
  const profiles = new DeviceProfiles(context.shelf, context.problems);
  const names = new Map<string, string>();
  const singles = new Map<number, string>();
  const addresses = new Map<string, string>();
  const exposures = new DeviceExposures(context.gateway, context.problems);
  const devices: ConfiguredDevice[] = [];
  for (const [index, section] of sections.entries()) {
    const path = `devices[${index}]`;
    const { name } = section.value;
    const twin = names.get(name);
    if (twin !== undefined)
      context.problems.add(placeOf(section, "name"), `${path}.name`, `'${name}' is ${twin} already`);
    names.set(name, path);
    const profile = await profiles.of(section, path);
    const device = joinDevice(section, path, profile, exposures.read(section, path), context);
    if (device === undefined) continue;
    noteTwin(device, addresses, section, path, context.problems);
    devices.push(device);
    claimSingles(device, section, path, singles, context.problems);
  }
  return devices;
}

/** A copied device whose address was forgotten would show the values of the other one. */
function noteTwin(
  { field: { name, link, address }, profile }: ConfiguredDevice,
  known: Map<string, string>,
  section: WithSource<DeviceSection>,
  path: string,
  problems: Problems,
): void {
  if (section.value.address === undefined) return;
  const key = JSON.stringify([link, profile.name, address], (_, value: unknown) =>
    value instanceof Map ? [...value] : value,
  );
  const twin = known.get(key);
  known.set(key, name);
  if (twin === undefined) return;
  const what = `'${twin}' is the same device: link, profile and address are the same`;
  problems.note(placeOf(section, "address"), `${path}.address`, what);
}

/** Of what has one instance only, the gateway's own tree has room for one device's. */
function claimSingles(
  { profile, exposure }: ConfiguredDevice,
  section: WithSource<DeviceSection>,
  path: string,
  taken: Map<number, string>,
  problems: Problems,
): void {
  if (exposure.mode !== "flat") return;
  for (const { model } of profile.objects) {
    if (model.multiple) continue;
    const owner = taken.get(model.id);
    if (owner === undefined) taken.set(model.id, path);
    else {
      const what = `object ${model.id} has one instance only, which is that of ${owner}`;
      problems.add(placeOf(section, "profile"), `${path}.profile`, what, "expose this device as gateway or endpoints");
    }
  }
}

function joinDevice(
  section: WithSource<DeviceSection>,
  path: string,
  profile: Profile | undefined,
  exposure: DeviceExposure,
  { links, gateway, problems }: Context,
): ConfiguredDevice | undefined {
  const { value } = section;
  const link = links.get(value.link);
  if (link === undefined) {
    const hint = near(value.link, [...links.keys()]) ?? `links: ${[...links.keys()].join(", ")}`;
    problems.add(placeOf(section, "link"), `${path}.link`, `no usable link '${value.link}'`, hint);
    return undefined;
  }
  const address = readAddress(section, path, link.adapter, problems);
  if (profile === undefined || address === undefined) return undefined;
  if (profile.adapter !== link.adapter.name) {
    const what = `profile '${profile.name}' is for ${profile.adapter}, link '${value.link}' for ${link.adapter.name}`;
    problems.add(placeOf(section, "profile"), `${path}.profile`, what);
    return undefined;
  }
  const points = [...profile.points.values()].map(({ point }) => point);
  const complaint = link.adapter.stationProblem?.(address.value, points, profile.traits);
  if (complaint !== undefined) problems.add(placeOf(section, "address"), `${path}.address`, complaint);
  for (const { model } of profile.objects) {
    const isOwn = HOST_OBJECTS.has(model.id) || gateway.objects.includes(model.id);
    const isTaken = CLIENT_OBJECTS.has(model.id) || (exposure.mode === "flat" && isOwn);
    if (!isTaken) continue;
    const what = `profile '${profile.name}' has object ${model.id}, which the gateway provides itself`;
    problems.add(placeOf(section, "profile"), `${path}.profile`, what);
  }
  return {
    field: {
      name: value.name,
      link: value.link,
      address: address.value,
      traits: profile.traits,
      points,
      poll: {
        fastMs: value.poll?.fast ?? DEFAULT_POLL.fastMs,
        normalMs: value.poll?.normal ?? DEFAULT_POLL.normalMs,
        slowMs: value.poll?.slow ?? DEFAULT_POLL.slowMs,
      },
    },
    profile,
    exposure,
    report: readReport(section, path, profile, problems),
    manual: readManual(section, path, profile, problems),
  };
}

/** The address may be absent for adapters whose stations need none: then an empty map is read. */
function readAddress(
  section: WithSource<DeviceSection>,
  path: string,
  adapter: AnyAdapter,
  problems: Problems,
): { readonly value: unknown } | undefined {
  const empty: Located = { kind: "map", at: section.source.at, entries: [] };
  const before = problems.list.length;
  const value = adapter.station.read(section.value.address ?? empty, childPath(path, "address"), problems);
  return problems.list.length === before ? { value } : undefined;
}

const NO_REPORTS: ReadonlyMap<string, Report> = new Map();

function readReport(
  section: WithSource<DeviceSection>,
  path: string,
  profile: Profile,
  problems: Problems,
): ReadonlyMap<string, Report> {
  const { report: said } = section.value;
  if (said === undefined) return NO_REPORTS;
  const reports = new Map<string, Report>();
  for (const [point, report] of said) {
    if (datumOf(profile, point) === undefined) {
      const names = [...profile.points.keys(), ...profile.derived.keys()];
      const hint = near(point, names) ?? `points: ${names.join(", ")}`;
      problems.add(placeOf(section, "report", point), `${path}.report.${point}`, `no point '${point}'`, hint);
    }
    reports.set(point, report);
  }
  return reports;
}
