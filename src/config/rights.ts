import { list, map, oneOf, record, refine, type Schema } from "../base/schema.js";
import { ALL_RIGHTS, RIGHTS, type Right } from "../lwm2m/access.js";
import type { AccessPolicy } from "../lwm2m/objects/access-control.js";
import { MAX_ID, parseId } from "../lwm2m/path.js";

/** What a server may do, as bits of RIGHTS. */
export interface ServerRights {
  readonly default: number;
  /** By object, instead of the default. */
  readonly objects: ReadonlyMap<number, number>;
}

const bits: Schema<number> = map(list(oneOf("read", "write", "execute", "delete", "create")), (rights) =>
  rights.reduce((sum: number, right: Right) => sum | RIGHTS[right], 0),
);

const everywhere: Schema<ServerRights> = map(bits, (all) => ({ default: all, objects: new Map() }));

const byObject: Schema<ServerRights> = map(
  refine(record(bits), (rights) => {
    const wrong = [...rights.keys()].find((key) => key !== "default" && !isObject(key));
    if (wrong !== undefined) return `'${wrong}' is neither 'default' nor the id of an object`;
    return rights.has("default") ? undefined : "'default' is missing: the rights to all other objects";
  }),
  (rights) => ({
    default: rights.get("default") ?? 0,
    objects: new Map([...rights].filter(([key]) => key !== "default").map(([key, of]) => [Number(key), of])),
  }),
);

function isObject(key: string): boolean {
  const id = parseId(key);
  return id !== undefined && id < MAX_ID;
}

/** `[read, write]` for all objects, or `{ default: [read], 3308: [read, write] }`. */
export const rightsSection: Schema<ServerRights> = {
  json: { anyOf: [everywhere.json, byObject.json] },
  read: (source, path, problems) => (source.kind === "map" ? byObject : everywhere).read(source, path, problems),
};

/** What object 2 is made from; undefined when no server has been limited. A server without `rights` may do everything. */
export function accessPolicy(
  servers: readonly { readonly account: { readonly shortServerId: number }; readonly rights?: ServerRights }[],
): AccessPolicy | undefined {
  if (servers.every(({ rights }) => rights === undefined)) return undefined;
  const byServer = new Map(servers.map(({ account, rights }) => [account.shortServerId, rights]));
  return (shortServerId, objectId) => {
    const rights = byServer.get(shortServerId);
    return rights === undefined ? ALL_RIGHTS : (rights.objects.get(objectId) ?? rights.default);
  };
}
