import { existsSync } from "node:fs";
import { systemClock } from "../base/clock.js";
import { silentLog } from "../base/log.js";
import { CoapSettings } from "../coap/settings.js";
import { TrafficCounter } from "../coap/traffic.js";
import type { GatewayConfig } from "../config/config.js";
import { type Exposure, expose } from "../exposure.js";
import { stateFile } from "../gateway.js";
import { hostNetwork } from "../host-network.js";
import { EventLog } from "../lwm2m/objects/event-log.js";
import { formatPath } from "../lwm2m/path.js";
import type { ObjectTree, Resource } from "../lwm2m/tree.js";
import { InstanceTable, memoryInstanceStore } from "../mapping/instances.js";
import { datumOf } from "../mapping/profile.js";
import { Database } from "../outbox/database.js";
import { databaseInstanceStore } from "../outbox/instance-rows.js";
import { readGoodConfig } from "./check.js";
import { columns } from "./columns.js";
import { type Command, EXIT } from "./command.js";

export const preview: Command = {
  name: "preview",
  synopsis: "-c FILE",
  summary: "Shows the LwM2M objects, instances and resources that will be registered. Opens no link and no server.",
  options: {
    config: { type: "string", short: "c", value: "FILE", summary: "the gateway's configuration" },
    json: { type: "boolean", summary: "prints JSON" },
  },
  positionals: "none",
  async run(args, io) {
    const config = await readGoodConfig(args, io);
    if (config === undefined) return EXIT.badConfiguration;
    const instances = await InstanceTable.open(memoryInstanceStore([...(await knownInstances(config))]));
    const exposure = expose(config, {
      clock: systemClock,
      random: Math.random,
      instances,
      reboot: () => undefined,
      host: { network: hostNetwork(), traffic: new TrafficCounter() },
      events: new EventLog(systemClock, () => Promise.resolve()),
      coap: new CoapSettings(),
      writePoint: () => Promise.resolve(),
      onSample: () => undefined,
    });
    const sources = sourcesOf(config, exposure);
    const shown = exposure.endpoints.map(({ endpoint, tree }) => {
      const behind = [...exposure.places.values()].filter(
        (place) => place.endpoint === endpoint && place.tree !== tree,
      );
      const rows = [{ tree }, ...behind].flatMap((place) => previewRows(place, sources));
      return { endpoint, resources: rows };
    });
    if (args.values["json"] === true) io.out(JSON.stringify(shown));
    else io.out(shown.map(({ endpoint, resources }) => renderPreview(endpoint, resources)).join("\n\n"));
    return EXIT.good;
  },
};

/** Ids of a gateway that has run before: the preview must show the same. */
async function knownInstances(config: GatewayConfig) {
  if (!existsSync(stateFile(config))) return [];
  await using database = await Database.open(stateFile(config), silentLog, systemClock.nowMs());
  return await databaseInstanceStore(database).load();
}

interface PreviewRow {
  readonly path: string;
  readonly object: string;
  readonly resource: string;
  readonly operations: string;
  readonly type: string;
  readonly unit: string;
  /** The device's point that feeds the resource, or `gateway`. */
  readonly source: string;
}

interface Source {
  readonly label: string;
  readonly unit: string;
}

/** By tree and path. */
type Sources = ReadonlyMap<ObjectTree, ReadonlyMap<string, Source>>;

function sourcesOf(config: GatewayConfig, { places }: Exposure): Sources {
  const sources = new Map<ObjectTree, Map<string, Source>>();
  for (const { field, profile } of config.devices) {
    const place = places.get(field.name);
    if (place === undefined) continue;
    const own = sources.get(place.tree) ?? new Map<string, Source>();
    sources.set(place.tree, own);
    for (const { model, ordinal, resources } of profile.objects) {
      const instanceId = place.instanceId(model.id, ordinal);
      for (const [resourceId, source] of resources) {
        const label = source.kind === "point" ? `${field.name}.${source.point}` : `${field.name} (constant)`;
        const unit = source.kind === "point" ? (datumOf(profile, source.point)?.unit ?? "") : "";
        own.set(formatPath([model.id, instanceId, resourceId]), { label, unit });
      }
    }
  }
  return sources;
}

function previewRows(
  { tree, prefix }: { readonly tree: ObjectTree; readonly prefix?: string },
  sources: Sources,
): readonly PreviewRow[] {
  const root = prefix === undefined ? "" : `/${prefix}`;
  return [...tree.objects.values()].flatMap(({ model, instances: own }) =>
    [...own.values()].flatMap((instance) =>
      inOrder(instance.resources.values()).map(({ model: resource }) => {
        const path = formatPath([model.id, instance.id, resource.id]);
        const known = sources.get(tree)?.get(path);
        return {
          path: root + path,
          object: model.name,
          resource: resource.name,
          operations: resource.operations,
          type: resource.type ?? "",
          unit: known?.unit ?? "",
          source: known?.label ?? "gateway",
        };
      }),
    ),
  );
}

function inOrder(resources: Iterable<Resource>): readonly Resource[] {
  return [...resources].sort((a, b) => a.model.id - b.model.id);
}

function renderPreview(endpoint: string, rows: readonly PreviewRow[]): string {
  const cells = rows.map((row) => [
    row.path,
    row.operations,
    row.type,
    row.unit,
    row.source,
    `${row.object} / ${row.resource}`,
  ]);
  const header = ["PATH", "OPS", "TYPE", "UNIT", "SOURCE", "NAME"];
  return [`endpoint ${endpoint}`, ...columns([header, ...cells])].join("\n");
}
