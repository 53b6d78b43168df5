import { CausewayError } from "../base/errors.js";
import type { ObjectSchema } from "../base/object-schema.js";
import { childPath, type Problems } from "../base/schema.js";
import type { Located } from "../base/source.js";
import type { AnyAdapter, DeviceTraits, Point } from "../field/adapter.js";
import type { SetupWrite } from "../field/point.js";
import { type ProbeItem, probeSchemaOf, setupSchemaOf } from "./point-schema.js";
import type { ProfileProbe } from "./profile.js";
import type { ProfileFile } from "./profile-schema.js";
import { heldAs } from "./raw-values.js";

type FileHead = Pick<ProfileFile, "addressBase" | "limits" | "timing" | "setup" | "protocol">;

/** What the head of a file says of the type of device as a whole. */
export function readTraits(file: FileHead, adapter: AnyAdapter, problems: Problems): DeviceTraits {
  const { addressBase } = file;
  const { maxRegisters, maxBits, maxGap, never, fourBytes } = file.limits ?? {};
  const { responseTimeout, requestGap, afterConnect, silence } = file.timing ?? {};
  const traits = {
    ...(maxRegisters === undefined ? {} : { maxRegisters }),
    ...(maxBits === undefined ? {} : { maxBits }),
    ...(maxGap === undefined ? {} : { maxGap }),
    ...(never === undefined ? {} : { never: onWire(never, addressBase ?? 0) }),
    ...(fourBytes === undefined ? {} : { fourBytes: onWire(fourBytes, addressBase ?? 0) }),
    ...(addressBase === undefined ? {} : { addressBase }),
    ...(responseTimeout === undefined ? {} : { responseTimeoutMs: responseTimeout }),
    ...(requestGap === undefined ? {} : { requestGapMs: requestGap }),
    ...(afterConnect === undefined ? {} : { afterConnectMs: afterConnect }),
    ...(silence === undefined ? {} : { silenceMs: silence }),
    ...readProtocol(file.protocol, adapter, problems),
  };
  return file.setup === undefined ? traits : { ...traits, setup: readSetup(file.setup, adapter, traits, problems) };
}

function readProtocol(
  source: Located | undefined,
  adapter: AnyAdapter,
  problems: Problems,
): Pick<DeviceTraits, "protocol"> {
  if (source === undefined) return {};
  if (adapter.protocol === undefined) {
    problems.add(source.at, "protocol", `profiles for ${adapter.name} have no 'protocol'`);
    return {};
  }
  return { protocol: adapter.protocol.read(source, "protocol", problems) };
}

function onWire(ranges: readonly (readonly [number, number])[], base: number): readonly (readonly [number, number])[] {
  return ranges.map(([first, last]) => [first - base, last - base]);
}

function readSetup(
  sources: readonly Located[],
  adapter: AnyAdapter,
  traits: DeviceTraits,
  problems: Problems,
): readonly SetupWrite[] {
  const schema = setupSchemaOf(adapter.point);
  return sources.flatMap((source, index) => {
    const path = childPath("setup", index);
    const read = readEntry(source, path, schema, adapter, traits, "w", problems);
    if (read === undefined) return [];
    const { value } = read.keys;
    const point: Point<unknown> = { name: path, access: "w", pollClass: "once", address: read.address };
    try {
      adapter.fit?.(point, value);
    } catch (error) {
      if (!(error instanceof CausewayError) || error.code !== "VALUE_INVALID") throw error;
      problems.add(source.at, childPath(path, "value"), error.message);
      return [];
    }
    return [{ point, value }];
  });
}

/** What identifies a device of the type. */
export function readProbe(
  sources: readonly Located[],
  adapter: AnyAdapter,
  traits: DeviceTraits,
  problems: Problems,
): readonly ProfileProbe[] {
  const schema = probeSchemaOf(adapter.point);
  return sources.flatMap((source, index) => {
    const path = childPath("probe", index);
    const read = readEntry(source, path, schema, adapter, traits, "r", problems);
    if (read === undefined) return [];
    const expected = expectedOf(read.keys);
    if (expected === undefined) {
      problems.add(source.at, path, "says nothing of the value", "give one of equals: VALUE, within: [min, max]");
      return [];
    }
    const point: Point<unknown> = { name: path, access: "r", pollClass: "once", address: read.address };
    const held = heldExpectation(expected, point, adapter);
    if (held !== undefined) return [{ point, expected: held }];
    problems.add(source.at, childPath(path, "equals"), "the type of the point never has this value");
    return [];
  });
}

/** Undefined for a number that the point never has. */
function heldExpectation(
  expected: ProfileProbe["expected"],
  point: Point<unknown>,
  adapter: AnyAdapter,
): ProfileProbe["expected"] | undefined {
  if (!("equals" in expected) || typeof expected.equals !== "number") return expected;
  const equals = heldAs(expected.equals, point, adapter);
  return equals === undefined ? undefined : { equals };
}

function expectedOf({ equals, within }: ProbeItem): ProfileProbe["expected"] | undefined {
  if (equals !== undefined) return within === undefined ? { equals } : undefined;
  return within === undefined ? undefined : { within };
}

function readEntry<T>(
  source: Located,
  path: string,
  schema: ObjectSchema<T>,
  adapter: AnyAdapter,
  traits: DeviceTraits,
  access: "r" | "w",
  problems: Problems,
): { readonly keys: T; readonly address: unknown } | undefined {
  const keys = schema.read(source, path, problems);
  if (keys === undefined) return undefined;
  const address = addressOf(keys as object, adapter);
  const complaint = adapter.pointProblem?.(address, traits, access);
  if (complaint !== undefined) problems.add(source.at, path, complaint);
  return complaint === undefined ? { keys, address } : undefined;
}

/** Of what was read of a point, the keys that are the adapter's. */
export function addressOf(read: object, { point }: AnyAdapter): unknown {
  const isAdapters = (key: string): boolean => Object.hasOwn(point.required, key) || Object.hasOwn(point.optional, key);
  return Object.fromEntries(Object.entries(read).filter(([key]) => isAdapters(key)));
}
