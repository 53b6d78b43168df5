import { utf8Decode } from "../../base/bytes.js";
import { CausewayError } from "../../base/errors.js";

/** Whole numbers beyond 2^53 are bigint, so that none of their digits is lost. */
export type JsonValue =
  | number
  | bigint
  | string
  | boolean
  | null
  | readonly JsonValue[]
  | ReadonlyMap<string, JsonValue>;

const MAX_DEPTH = 16;
/** Digits of the longest 64-bit number, with its sign. */
const LONGEST_EXACT = 20;

/** Reads one JSON text (RFC 8259); throws LWM2M_DECODE on anything else and on a key that comes twice. */
export function decodeJson(payload: Uint8Array): JsonValue {
  const text = utf8Decode(payload);
  if (text === undefined) throw new CausewayError("LWM2M_DECODE", "JSON is not UTF-8");
  const reader = new JsonReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** The member as text; throws LWM2M_DECODE, as those below do. */
export function jsonText(label: string, member: JsonValue): string {
  if (typeof member !== "string") throw new CausewayError("LWM2M_DECODE", `'${label}' is not a string`);
  return member;
}

export function jsonNumber(label: string, member: JsonValue): number | bigint {
  if (typeof member === "number" || typeof member === "bigint") return member;
  throw new CausewayError("LWM2M_DECODE", `'${label}' is not a number`);
}

export function jsonBoolean(label: string, member: JsonValue): boolean {
  if (typeof member !== "boolean") throw new CausewayError("LWM2M_DECODE", `'${label}' is not true or false`);
  return member;
}

class JsonReader {
  #offset = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw this.#error("nested too deeply");
    switch (this.#peek()) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  end(): void {
    if (this.#peek() !== "") throw this.#error("text after the end");
  }

  /** The next character that is not white space; empty at the end. */
  #peek(): string {
    for (;;) {
      const character = this.#text.charAt(this.#offset);
      if (character !== " " && character !== "\n" && character !== "\r" && character !== "\t") return character;
      this.#offset++;
    }
  }

  #expect(character: string): void {
    if (this.#peek() !== character) throw this.#error(`expected ${character}`);
    this.#offset++;
  }

  #object(depth: number): ReadonlyMap<string, JsonValue> {
    const members = new Map<string, JsonValue>();
    this.#expect("{");
    if (this.#peek() !== "}") {
      for (;;) {
        if (this.#peek() !== '"') throw this.#error("expected a key");
        const key = this.#string();
        if (members.has(key)) throw this.#error(`key '${key}' comes twice`);
        this.#expect(":");
        members.set(key, this.value(depth + 1));
        if (this.#peek() !== ",") break;
        this.#offset++;
      }
    }
    this.#expect("}");
    return members;
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.#expect("[");
    if (this.#peek() !== "]") {
      for (;;) {
        items.push(this.value(depth + 1));
        if (this.#peek() !== ",") break;
        this.#offset++;
      }
    }
    this.#expect("]");
    return items;
  }

  /** Finds the end and leaves escapes and forbidden characters to the platform's own parser. */
  #string(): string {
    const start = this.#offset;
    let end = start + 1;
    while (end < this.#text.length && this.#text.charCodeAt(end) !== 0x22) {
      end += this.#text.charCodeAt(end) === 0x5c ? 2 : 1;
    }
    try {
      const parsed: unknown = JSON.parse(this.#text.slice(start, end + 1));
      if (typeof parsed !== "string") throw this.#error("not a string");
      this.#offset = end + 1;
      return parsed;
    } catch (error) {
      throw this.#error("not a string", error);
    }
  }

  #number(): number | bigint {
    const token = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
    token.lastIndex = this.#offset;
    const match = token.exec(this.#text);
    if (match === null) throw this.#error("not a value");
    const [text, fraction, exponent] = match;
    this.#offset += text.length;
    const value = Number(text);
    const whole = fraction === undefined && exponent === undefined && text.length <= LONGEST_EXACT;
    return whole && !Number.isSafeInteger(value) ? BigInt(text) : value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#offset)) throw this.#error("not a value");
    this.#offset += word.length;
    return value;
  }

  #error(what: string, cause?: unknown): CausewayError {
    return new CausewayError("LWM2M_DECODE", `JSON at character ${this.#offset}: ${what}`, { cause });
  }
}
