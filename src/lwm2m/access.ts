/** What ACL /2/x/2 can grant, as bits (OMA LwM2M Core 1.2 Appendix E.3). */
export const RIGHTS = { read: 1, write: 2, execute: 4, delete: 8, create: 16 } as const;

export type Right = keyof typeof RIGHTS;

export const ALL_RIGHTS = 31;
/** Rights to an instance; that to create is one to an object. */
export const INSTANCE_RIGHTS = ALL_RIGHTS & ~RIGHTS.create;

/** Access Control Owner /2/x/3 of what no server owns: only a bootstrap server may change its list. */
export const NO_OWNER = 65_535;
/** Resource instance of /2/x/2 for servers that have none of their own. */
export const DEFAULT_ENTRY = 0;

/** An instance of object 2, apart from what it is for. */
export interface AccessControlList {
  /** A Short Server ID, or NO_OWNER. */
  readonly owner: number;
  /** Bits of RIGHTS by Short Server ID, or DEFAULT_ENTRY. */
  readonly rights: ReadonlyMap<number, number>;
}

/** What a server may do with the instance that the list is for; nothing without one (OMA LwM2M Core 1.2 §8.2.1). */
export function rightsOf(list: AccessControlList | undefined, shortServerId: number): number {
  const own = list?.rights.get(shortServerId);
  if (own !== undefined) return own;
  return list?.owner === shortServerId ? INSTANCE_RIGHTS : (list?.rights.get(DEFAULT_ENTRY) ?? 0);
}

/** Whether a server may create instances of the object that the list is for: only an entry of its own says so. */
export function mayCreate(list: AccessControlList | undefined, shortServerId: number): boolean {
  return ((list?.rights.get(shortServerId) ?? 0) & RIGHTS.create) !== 0;
}

/**
 * Who owns the instance when its owner has gone: of the servers with an entry the one with most of Write and Delete, the
 * lowest id of several; no server where only a default entry is left; undefined when nobody could reach the instance any
 * more (OMA LwM2M Transport 1.2 §5.2.5).
 */
export function heirOf({ owner, rights }: AccessControlList): number | undefined {
  const heirs = [...rights].filter(([id]) => id !== owner && id !== DEFAULT_ENTRY);
  const [first] = heirs.sort(([a, aBits], [b, bBits]) => weightOf(bBits) - weightOf(aBits) || a - b);
  if (first !== undefined) return first[0];
  return (rights.get(DEFAULT_ENTRY) ?? 0) === 0 ? undefined : NO_OWNER;
}

function weightOf(bits: number): number {
  return Number((bits & RIGHTS.write) !== 0) + Number((bits & RIGHTS.delete) !== 0);
}

/** What one server may do in one tree. */
export interface Access {
  /** True for an instance that is not there: others say so. */
  may(right: Exclude<Right, "create">, objectId: number, instanceId: number): boolean;
  mayCreate(objectId: number): boolean;
  /** The server has created the instance, and owns it now. */
  created(objectId: number, instanceId: number): void;
}

/** Of a server that is the only one, and of all servers behind a prefix (OMA LwM2M Gateway 1.1.1). */
export const FULL_ACCESS: Access = {
  may: () => true,
  mayCreate: () => true,
  created: () => undefined,
};
