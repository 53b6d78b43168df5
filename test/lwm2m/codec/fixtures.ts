import { utf8Encode } from "../../../src/base/bytes.js";
import type { DecodeContext, Entry, ResourceLookup } from "../../../src/lwm2m/codec/codec.js";
import type { ResourceModel } from "../../../src/lwm2m/model/model.js";
import { type Path, parsePath } from "../../../src/lwm2m/path.js";
import type { ResourceType, Value } from "../../../src/lwm2m/value.js";

/** Absolute and recent: 2023-11-14T22:13:20Z. */
export const NOW_MS = 1_700_000_000_000;

export function entry(path: string, type: ResourceType, value: Value, atMs?: number): Entry {
  return { path: parsePath(path), type, value, ...(atMs === undefined ? {} : { atMs }) };
}

function resource(id: number, type: ResourceType, multiple = "single"): ResourceModel {
  return { id, name: "", operations: "RW", multiple: multiple === "multiple", mandatory: false, type };
}

/** The test objects of OMA (3441, 3442): one resource of each type, 110 … 180, and multiple ones, 1110 … 1180. */
export const TYPES: readonly (readonly [ResourceType, number])[] = [
  ["string", 110],
  ["integer", 120],
  ["unsigned", 125],
  ["float", 130],
  ["boolean", 140],
  ["opaque", 150],
  ["time", 160],
  ["objlnk", 170],
  ["corelnk", 180],
];

const DEVICE: readonly ResourceModel[] = [
  ...[0, 1, 2, 3, 14, 16].map((id) => resource(id, "string")),
  ...[6, 7, 8, 11].map((id) => resource(id, "integer", "multiple")),
  ...[9, 10].map((id) => resource(id, "integer")),
  resource(13, "time"),
];
const ACCESS: readonly ResourceModel[] = [0, 1, 3].map((id) => resource(id, "integer"));
const LINKED: readonly ResourceModel[] = [resource(0, "string"), resource(1, "string"), resource(2, "objlnk")];

const OBJECTS: ReadonlyMap<number, readonly ResourceModel[]> = new Map([
  [2, [...ACCESS, resource(2, "integer", "multiple")]],
  [3, DEVICE],
  [65, [resource(0, "objlnk", "multiple"), resource(1, "string"), resource(2, "integer")]],
  [66, LINKED],
  [72, [resource(2, "float")]],
  [3303, [resource(5700, "float"), resource(5701, "string")]],
  [3442, TYPES.flatMap(([type, id]) => [resource(id, type), resource(id + 1000, type, "multiple")])],
]);

export const lookup: ResourceLookup = (objectId, resourceId) =>
  OBJECTS.get(objectId)?.find(({ id }) => id === resourceId);

export function context(target: string | Path): DecodeContext {
  return { target: typeof target === "string" ? parsePath(target) : target, resource: lookup, nowMs: NOW_MS };
}

/** The example client's Device object (OMA LwM2M Core 1.2 Appendix F). */
export const DEVICE_ENTRIES: readonly Entry[] = [
  entry("/3/0/0", "string", "Open Mobile Alliance"),
  entry("/3/0/1", "string", "Lightweight M2M Client"),
  entry("/3/0/2", "string", "345000123"),
  entry("/3/0/3", "string", "1.0"),
  entry("/3/0/6/0", "integer", 1),
  entry("/3/0/6/1", "integer", 5),
  entry("/3/0/7/0", "integer", 3800),
  entry("/3/0/7/1", "integer", 5000),
  entry("/3/0/8/0", "integer", 125),
  entry("/3/0/8/1", "integer", 900),
  entry("/3/0/9", "integer", 100),
  entry("/3/0/10", "integer", 15),
  entry("/3/0/11/0", "integer", 0),
  entry("/3/0/13", "time", 1367491215),
  entry("/3/0/14", "string", "+02:00"),
  entry("/3/0/16", "string", "U"),
];

/** Values at the edges of each type. */
export const EDGES: Readonly<Record<ResourceType, readonly Value[]>> = {
  string: ["", "plain", 'Grüße \u{1f321} \u0000 " \\ \n'],
  corelnk: ["</3/0>;ver=1.2,</3303/0>"],
  integer: [
    0,
    -1,
    23,
    24,
    127,
    128,
    -128,
    -129,
    32767,
    65536,
    -2147483648,
    2147483648,
    2 ** 53 - 1,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ],
  unsigned: [0, 255, 256, 65535, 4294967295, 4294967296, 2n ** 64n - 1n],
  time: [0, 1367491215, -1, 253402300799],
  float: [
    0,
    -0,
    0.1,
    -1.5,
    22.4,
    65504,
    65505,
    2 ** -24,
    1e-7,
    1e300,
    5e-324,
    Number.MAX_VALUE,
    (2 - 2 ** -23) * 2 ** 127,
  ],
  boolean: [true, false],
  opaque: [new Uint8Array(0), Uint8Array.of(0, 255, 1), utf8Encode("x".repeat(300))],
  objlnk: [
    { objectId: 0, instanceId: 0 },
    { objectId: 3303, instanceId: 12 },
    { objectId: 65535, instanceId: 65535 },
  ],
};
