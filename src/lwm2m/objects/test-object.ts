import type { Clock } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import type { NamedPath } from "../codec/codec.js";
import type { ModelRegistry } from "../model/model.js";
import { parseArguments } from "../operation/arguments.js";
import { MAX_ID, parsePath } from "../path.js";
import type { ObjectTree, ResourceHandler } from "../tree.js";
import type { Value } from "../value.js";
import { requireModel } from "./require-model.js";

const TEST_OBJECT = 3442;
const ARGUMENTS_LIST = 4;
const RESOURCES_TO_SEND = 6;
/** From a single resource to the multiple one of its type. */
const MULTIPLE = 1000;
const MAX_LENGTH = 20;
const MAX_INSTANCES = 10;

interface Kind {
  readonly id: number;
  readonly initial: Value;
  readonly cleared: Value;
  random(random: () => number): Value;
}

/** What the definition of the object says of each type. */
const KINDS: readonly Kind[] = [
  { id: 110, initial: "initial value", cleared: "", random: randomText },
  { id: 120, initial: 1024, cleared: 0, random: (random) => whole(random, 2 ** 32) - 2 ** 31 },
  { id: 125, initial: 2n ** 63n, cleared: 0, random: (random) => whole(random, 2 ** 32) },
  // Not π: the definition has five digits.
  { id: 130, initial: 314_159 / 100_000, cleared: 0, random: (random) => random() * 1000 },
  { id: 140, initial: true, cleared: false, random: (random) => random() < 0.5 },
  {
    id: 150,
    initial: new Uint8Array([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]),
    cleared: new Uint8Array(),
    random: (random) => Uint8Array.from({ length: whole(random, MAX_LENGTH) }, () => whole(random, 256)),
  },
  { id: 160, initial: 946_684_800, cleared: 0, random: (random) => whole(random, 2 ** 31) },
  {
    id: 170,
    initial: { objectId: 3, instanceId: 0 },
    cleared: { objectId: MAX_ID, instanceId: MAX_ID },
    random: () => ({ objectId: TEST_OBJECT, instanceId: 0 }),
  },
  { id: 180, initial: `</${TEST_OBJECT}>`, cleared: "", random: (random) => `</${whole(random, MAX_ID)}>` },
];

export interface TestObjectOptions {
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Sends what the paths hold to all servers; must not throw. */
  send(paths: readonly NamedPath[]): void;
}

/** Adds instance 0 of object 3442, the test object of LwM2M 1.1; for tests only. Throws LWM2M_MODEL. */
export function addTestObject(tree: ObjectTree, models: ModelRegistry, options: TestObjectOptions): void {
  const { clock, random, send } = options;
  const fill = (resourceId: number, values: Iterable<readonly [number, Value]>): void => {
    const path = [TEST_OBJECT, 0, resourceId];
    const samples = tree.declare(TEST_OBJECT, 0, resourceId).samples;
    const wanted = new Map(values);
    for (const id of [...samples.keys()]) if (!wanted.has(id)) tree.unset([...path, id]);
    for (const [id, value] of wanted) tree.set([...path, id], { value, atMs: clock.nowMs() });
  };
  const reset = (): void => {
    for (const { id, initial } of KINDS) {
      fill(id, [[0, initial]]);
      fill(id + MULTIPLE, [[0, initial]]);
    }
    fill(ARGUMENTS_LIST, []);
    fill(RESOURCES_TO_SEND, []);
  };
  const clear = (): void => {
    for (const { id, cleared } of KINDS) {
      fill(id, [[0, cleared]]);
      fill(id + MULTIPLE, []);
    }
    fill(ARGUMENTS_LIST, []);
    fill(RESOURCES_TO_SEND, []);
  };
  const randomise = (): void => {
    for (const kind of KINDS) {
      fill(kind.id, [[0, kind.random(random)]]);
      const count = whole(random, MAX_INSTANCES + 1);
      fill(
        kind.id + MULTIPLE,
        Array.from({ length: count }, (_, id) => [id, kind.random(random)] as const),
      );
    }
  };
  const handlers: readonly (readonly [number, ResourceHandler])[] = [
    [0, { execute: async () => reset() }],
    [1, { execute: async () => randomise() }],
    [2, { execute: async () => clear() }],
    [3, { execute: async (args) => fill(ARGUMENTS_LIST, parseArguments(args)) }],
    [5, { execute: async () => send(namedPaths(tree)) }],
  ];
  tree.addInstance(requireModel(models, TEST_OBJECT), 0, new Map(handlers));
  reset();
}

/** What Resources to Send names; throws LWM2M_BAD_REQUEST for what is no path. */
function namedPaths(tree: ObjectTree): readonly NamedPath[] {
  const samples = tree.resource(TEST_OBJECT, 0, RESOURCES_TO_SEND)?.samples.values() ?? [];
  const paths = [...samples].map(({ value }) => namedPath(String(value)));
  if (paths.length === 0) throw new CausewayError("LWM2M_BAD_REQUEST", "nothing is named to be sent");
  return paths;
}

function namedPath(text: string): NamedPath {
  const [, prefix, path = text] = /^\/?([^/\d][^/]*)(\/.*)?$/.exec(text) ?? [];
  try {
    return { path: parsePath(path), ...(prefix === undefined ? {} : { prefix }) };
  } catch (error) {
    throw new CausewayError("LWM2M_BAD_REQUEST", `'${text}' is no path that can be sent`, { cause: error });
  }
}

function randomText(random: () => number): string {
  return String.fromCharCode(...Array.from({ length: whole(random, MAX_LENGTH) }, () => 0x61 + whole(random, 26)));
}

function whole(random: () => number, below: number): number {
  return Math.floor(random() * below);
}
