/** `a{sv}` and the like, as dbus-next gives them. */
export type Dictionary = Readonly<Record<string, unknown>>;

export const NOTHING: Dictionary = {};

export function dictionary(value: unknown): Dictionary {
  return isDictionary(value) && !(value instanceof Uint8Array) ? value : NOTHING;
}

/** What a dictionary holds under the key, out of its variant. */
export function entry(from: Dictionary, key: string): unknown {
  const value = from[key];
  return isDictionary(value) && "signature" in value && "value" in value ? value["value"] : value;
}

export function numberEntry(from: Dictionary, key: string): number | undefined {
  const value = entry(from, key);
  return typeof value === "number" ? value : undefined;
}

export function stringEntry(from: Dictionary, key: string): string | undefined {
  const value = entry(from, key);
  return typeof value === "string" ? value : undefined;
}

export function booleanEntry(from: Dictionary, key: string): boolean | undefined {
  const value = entry(from, key);
  return typeof value === "boolean" ? value : undefined;
}

/** A copy, since the library's bytes are part of the whole message. */
export function bytesEntry(from: Dictionary, key: string): Uint8Array | undefined {
  const value = entry(from, key);
  return value instanceof Uint8Array ? new Uint8Array(value) : undefined;
}

function isDictionary(value: unknown): value is Dictionary {
  return typeof value === "object" && value !== null;
}
