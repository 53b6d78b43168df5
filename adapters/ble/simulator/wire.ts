import codec from "dbus-next/lib/message.js";
import { parseSignature, type TypeTree } from "dbus-next/lib/signature.js";

/** A value with its D-Bus type. */
export interface Typed {
  readonly signature: string;
  readonly value: unknown;
}

export function typed(signature: string, value: unknown): Typed {
  return { signature, value };
}

export interface Outgoing {
  readonly type: number;
  readonly serial: number;
  readonly destination?: string;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** The bytes of a message. dbus-next's own way has text keys only: it cannot write BlueZ's `a{qv}`. */
export function encode(message: Outgoing): Buffer {
  const trees = parseSignature(message.signature);
  const body = trees.map((tree, index) => arrange(tree, message.body[index]));
  const [bytes] = codec.marshall({ ...message, body });
  return bytes;
}

/** As the library's inner marshaller wants it: dictionaries as lists of pairs, variants as signature and value. */
function arrange(tree: TypeTree, value: unknown): unknown {
  if (tree.type === "v") {
    const { signature, value: inner } = asTyped(value);
    const [own] = parseSignature(signature);
    return [signature, own === undefined ? inner : arrange(own, inner)];
  }
  if (tree.type === "(") return asList(value).map((item, index) => arrangeChild(tree, index, item));
  const [element] = tree.child;
  if (tree.type !== "a" || element === undefined || element.type === "y") return value;
  if (element.type !== "{") return asList(value).map((item) => arrange(element, item));
  return entriesOf(value).map(([key, item]) => [arrangeChild(element, 0, key), arrangeChild(element, 1, item)]);
}

function arrangeChild(tree: TypeTree, index: number, value: unknown): unknown {
  const child = tree.child[index];
  return child === undefined ? value : arrange(child, value);
}

function asTyped(value: unknown): Typed {
  if (typeof value === "object" && value !== null && "signature" in value && "value" in value) {
    return { signature: String(value.signature), value: value.value };
  }
  throw new TypeError(`no variant: ${String(value)}`);
}

function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`no list: ${String(value)}`);
}

function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value instanceof Map) return [...value];
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
