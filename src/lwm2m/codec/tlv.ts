import { utf8Decode, utf8Length } from "../../base/bytes.js";
import { CausewayError } from "../../base/errors.js";
import { formatPath, type Path } from "../path.js";
import { fitsType, type ObjectLink, type ResourceType, type Value } from "../value.js";
import { ByteWriter } from "./byte-writer.js";
import { CHOOSE_INSTANCE, type Codec, type DecodeContext, type DecodedEntry, type Entry } from "./codec.js";
import { decodeError, typeAt, wholeValue } from "./convert.js";

/** Bits 7 and 6 of the type byte. */
const Kind = { objectInstance: 0x00, resourceInstance: 0x40, multipleResource: 0x80, resource: 0xc0 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

/** OMA TLV (OMA LwM2M Core 1.2 §7.5.5). Entries of one instance, and of one multiple resource, must follow each other. */
export const tlvCodec: Codec = {
  contentFormat: 11542,
  name: "application/vnd.oma.lwm2m+tlv",
  encode(entries, { target }) {
    const writer = new ByteWriter();
    // The header of a whole level is left out when the request names the instance, or the resource instance.
    if (target.length === 1) writeLevel(writer, entries, 1);
    else writeLevel(writer, entries, target.length === 4 ? 3 : 2);
    return writer.finish();
  },
  decode(payload, context) {
    const items = readItems(payload);
    const [objectId, instanceId, resourceId] = context.target;
    if (objectId === undefined) throw decodeError("TLV cannot name objects");
    if (instanceId === undefined) return items.flatMap((item) => readAtObject(item, objectId, context));
    if (resourceId === undefined) return items.flatMap((item) => readAtInstance(item, [objectId, instanceId], context));
    return items.flatMap((item) => readAtResource(item, [objectId, instanceId, resourceId], context));
  },
};

/** Writes the entries' ids from `depth` on: 1 instances, 2 resources, 3 resource instances. */
function writeLevel(writer: ByteWriter, entries: readonly Entry[], depth: number): void {
  for (let start = 0; start < entries.length; ) {
    const first = entries[start];
    const id = first?.path[depth];
    if (first === undefined || id === undefined) {
      throw new CausewayError("INTERNAL", `TLV: ${formatPath(first?.path ?? [])} is not below the target`);
    }
    if (depth + 1 === first.path.length) {
      writeValue(writer, depth === 3 ? Kind.resourceInstance : Kind.resource, id, first);
      start++;
      continue;
    }
    let end = start + 1;
    while (entries[end]?.path[depth] === id) end++;
    const inner = new ByteWriter();
    writeLevel(inner, entries.slice(start, end), depth + 1);
    writeHeader(writer, depth === 1 ? Kind.objectInstance : Kind.multipleResource, id, inner.length);
    writer.bytes(inner.finish());
    start = end;
  }
}

function writeHeader(writer: ByteWriter, kind: Kind, id: number, length: number): void {
  const lengthBits = length < 8 ? length : length < 0x100 ? 0x08 : length < 0x1_0000 ? 0x10 : 0x18;
  if (length > 0xff_ffff) throw new CausewayError("LWM2M_NOT_ACCEPTABLE", "TLV carries at most 16 MiB");
  writer.uint8(kind | (id > 0xff ? 0x20 : 0) | lengthBits);
  if (id > 0xff) writer.uint16(id);
  else writer.uint8(id);
  if (lengthBits === 0x08) writer.uint8(length);
  else if (lengthBits === 0x10) writer.uint16(length);
  else if (lengthBits === 0x18) writer.uint24(length);
}

function writeValue(writer: ByteWriter, kind: Kind, id: number, { type, value }: Entry): void {
  if (typeof value === "string") {
    const byteLength = utf8Length(value);
    writeHeader(writer, kind, id, byteLength);
    writer.text(value, byteLength);
  } else if (value instanceof Uint8Array) {
    writeHeader(writer, kind, id, value.length);
    writer.bytes(value);
  } else if (typeof value === "boolean") {
    writeHeader(writer, kind, id, 1);
    writer.uint8(value ? 1 : 0);
  } else if (typeof value === "object") {
    writeHeader(writer, kind, id, 4);
    writer.uint16(value.objectId);
    writer.uint16(value.instanceId);
  } else if (type === "float") {
    writeFloat(writer, kind, id, Number(value));
  } else {
    writeInteger(writer, kind, id, type, value);
  }
}

function writeFloat(writer: ByteWriter, kind: Kind, id: number, value: number): void {
  const single = Object.is(Math.fround(value), value);
  writeHeader(writer, kind, id, single ? 4 : 8);
  if (single) writer.float32(value);
  else writer.float64(value);
}

/** The smallest of 1, 2, 4 and 8 bytes, two's complement unless the type is unsigned. */
function writeInteger(writer: ByteWriter, kind: Kind, id: number, type: ResourceType, value: number | bigint): void {
  const size = type === "unsigned" ? unsignedSize(value) : signedSize(value);
  writeHeader(writer, kind, id, size);
  if (size === 1) writer.uint8(Number(value) & 0xff);
  else if (size === 2) writer.uint16(Number(value) & 0xffff);
  else if (size === 4) writer.uint32(Number(value) >>> 0);
  else writer.uint64(BigInt(value));
}

function unsignedSize(value: number | bigint): 1 | 2 | 4 | 8 {
  return value < 0x100 ? 1 : value < 0x1_0000 ? 2 : value < 0x1_0000_0000 ? 4 : 8;
}

function signedSize(value: number | bigint): 1 | 2 | 4 | 8 {
  const size = value < 0 ? -(typeof value === "bigint" ? Number(value) : value) - 1 : value;
  return size < 0x80 ? 1 : size < 0x8000 ? 2 : size < 0x8000_0000 ? 4 : 8;
}

interface TlvItem {
  readonly kind: Kind;
  readonly id: number;
  readonly value: Uint8Array;
}

function readItems(bytes: Uint8Array): readonly TlvItem[] {
  const items: TlvItem[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const type = bytes[offset] ?? 0;
    const idLength = type & 0x20 ? 2 : 1;
    const lengthLength = (type >> 3) & 0x03;
    const valueAt = offset + 1 + idLength + lengthLength;
    const length = lengthLength === 0 ? type & 0x07 : readUnsigned(bytes, offset + 1 + idLength, lengthLength);
    if (valueAt + length > bytes.length) throw decodeError(`TLV at byte ${offset}: cut short`);
    const kind = type & 0xc0;
    if (!isKind(kind)) throw decodeError(`TLV at byte ${offset}: unknown type`);
    items.push({
      kind,
      id: readUnsigned(bytes, offset + 1, idLength),
      value: bytes.subarray(valueAt, valueAt + length),
    });
    offset = valueAt + length;
  }
  return items;
}

function isKind(bits: number): bits is Kind {
  return Object.values<number>(Kind).includes(bits);
}

function readUnsigned(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let index = 0; index < length; index++) value = value * 256 + (bytes[offset + index] ?? 0);
  return value;
}

function readAtObject(item: TlvItem, objectId: number, context: DecodeContext): DecodedEntry[] {
  // A Create may leave the instance out and begin with its resources.
  if (item.kind !== Kind.objectInstance) return readResource(item, [objectId, CHOOSE_INSTANCE], context);
  return readItems(item.value).flatMap((inner) => readResource(inner, [objectId, item.id], context));
}

/** The header of the instance is optional when the request names it. */
function readAtInstance(item: TlvItem, instance: Path, context: DecodeContext): DecodedEntry[] {
  if (item.kind !== Kind.objectInstance) return readResource(item, instance, context);
  if (item.id !== instance[1]) throw decodeError(`TLV: instance ${item.id} is not ${formatPath(instance)}`);
  return readItems(item.value).flatMap((inner) => readResource(inner, instance, context));
}

function readAtResource(item: TlvItem, resource: Path, context: DecodeContext): DecodedEntry[] {
  if (item.kind === Kind.resourceInstance) return readValue(item, [...resource, item.id], context);
  return readAtInstance(item, resource.slice(0, 2), context);
}

function readResource(item: TlvItem, instance: Path, context: DecodeContext): DecodedEntry[] {
  if (item.kind === Kind.resource) return readValue(item, [...instance, item.id], context);
  if (item.kind !== Kind.multipleResource) throw decodeError(`TLV: item ${item.id} is not a resource`);
  return readItems(item.value).flatMap((inner) => {
    if (inner.kind !== Kind.resourceInstance) throw decodeError(`TLV: resource ${item.id} holds no resource instance`);
    return readValue(inner, [...instance, item.id, inner.id], context);
  });
}

function readValue(item: TlvItem, path: Path, context: DecodeContext): DecodedEntry[] {
  const type = typeAt(path, context);
  if (type === undefined) return [];
  const value = parseValue(type, item.value);
  if (value === undefined || !fitsType(type, value)) throw decodeError(`${formatPath(path)} takes ${type}`);
  return [{ path, value }];
}

function parseValue(type: ResourceType, bytes: Uint8Array): Value | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case "string":
    case "corelnk":
      return utf8Decode(bytes);
    case "opaque":
      return new Uint8Array(bytes);
    case "boolean":
      return bytes.length !== 1 ? undefined : bytes[0] === 1 ? true : bytes[0] === 0 ? false : undefined;
    case "objlnk":
      return bytes.length === 4 ? readLink(view) : undefined;
    case "float":
      return bytes.length === 4 ? view.getFloat32(0) : bytes.length === 8 ? view.getFloat64(0) : undefined;
    case "unsigned":
      return bytes.length === 8 ? wholeValue(view.getBigUint64(0)) : readShort(bytes, "unsigned");
    default:
      return bytes.length === 8 ? wholeValue(view.getBigInt64(0)) : readShort(bytes, "signed");
  }
}

function readShort(bytes: Uint8Array, sign: "signed" | "unsigned"): number | undefined {
  if (bytes.length !== 1 && bytes.length !== 2 && bytes.length !== 4) return undefined;
  const value = readUnsigned(bytes, 0, bytes.length);
  const bits = bytes.length * 8;
  return sign === "signed" && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
}

function readLink(view: DataView): ObjectLink {
  return { objectId: view.getUint16(0), instanceId: view.getUint16(2) };
}
