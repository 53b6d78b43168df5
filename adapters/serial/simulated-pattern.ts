/** What a class of characters is tried with, the most telling first. */
const CHARACTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz"].concat(
  Array.from({ length: 256 }, (_, code) => String.fromCharCode((code + 0x20) & 0xff)),
);
const QUANTIFIER = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/;
const CLASS = /^\[(?:[^\\\]]|\\.)*\]/s;
const ESCAPE = /^\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|c[A-Za-z]|.)/s;
const OPENING = /^\((?:\?(?::|!|<!|=|<=|<(?![=!])[^>]*>))?/;

interface Piece {
  readonly text: string;
  /** Whether the wanted group is in it: then it is not left out where it may be. */
  readonly isWanted: boolean;
}

const NOTHING: Piece = { text: "", isWanted: false };

/**
 * A short text that the regular expression matches, with `group` in it: of alternatives the first, of repetitions the
 * fewest. Undefined when the expression has what cannot be told so, such as a reference back to a group.
 */
export function textFor(pattern: string, group = 0): string | undefined {
  try {
    const { text } = new PatternReader(pattern, group).alternatives();
    const found = new RegExp(pattern).exec(text)?.[group];
    return found === undefined ? undefined : text;
  } catch (error) {
    if (error instanceof Beyond) return undefined;
    throw error;
  }
}

/** The expression has what the reader does not know. */
class Beyond extends Error {}

/** Reads what profiles use of regular expressions; what one character may be is asked of the real ones. */
class PatternReader {
  readonly #wanted: number;
  #rest: string;
  #groups = 0;

  constructor(pattern: string, wanted: number) {
    this.#rest = pattern;
    this.#wanted = wanted;
  }

  alternatives(): Piece {
    const pieces = [this.#sequence()];
    while (this.#take(/^\|/) !== undefined) pieces.push(this.#sequence());
    return pieces.find(({ isWanted }) => isWanted) ?? pieces[0] ?? NOTHING;
  }

  #sequence(): Piece {
    const pieces: Piece[] = [];
    while (this.#rest !== "" && !/^[|)]/.test(this.#rest)) pieces.push(this.#term());
    return { text: pieces.map(({ text }) => text).join(""), isWanted: pieces.some(({ isWanted }) => isWanted) };
  }

  #term(): Piece {
    const { text, isWanted } = this.#atom();
    const quantifier = this.#take(QUANTIFIER);
    if (quantifier === undefined) return { text, isWanted };
    const fewest = quantifier.startsWith("+") ? 1 : Number(QUANTIFIER.exec(quantifier)?.[1] ?? 0);
    return { text: text.repeat(isWanted ? Math.max(1, fewest) : fewest), isWanted };
  }

  #atom(): Piece {
    const opening = this.#take(OPENING);
    if (opening !== undefined) return this.#group(opening);
    if (this.#take(/^(?:\^|\$|\\[bB])/) !== undefined) return NOTHING;
    const one = this.#take(CLASS) ?? this.#take(ESCAPE) ?? this.#take(/^./s) ?? "";
    if (/^\\[1-9k]/.test(one)) throw new Beyond();
    if (one.length === 1 && one !== ".") return { text: one, isWanted: false };
    const accepts = new RegExp(`^${one}$`);
    const character = CHARACTERS.find((candidate) => accepts.test(candidate));
    if (character === undefined) throw new Beyond();
    return { text: character, isWanted: false };
  }

  #group(opening: string): Piece {
    const isCapturing = opening === "(" || /^\(\?<[^=!]/.test(opening);
    const number = isCapturing ? ++this.#groups : undefined;
    const { text, isWanted } = this.alternatives();
    if (this.#take(/^\)/) === undefined) throw new Beyond();
    // What must not be beside it is left out, what must be is put there; the expression itself is asked in the end.
    return opening.endsWith("!") ? NOTHING : { text, isWanted: isWanted || number === this.#wanted };
  }

  #take(what: RegExp): string | undefined {
    const [taken] = what.exec(this.#rest) ?? [];
    if (taken !== undefined) this.#rest = this.#rest.slice(taken.length);
    return taken;
  }
}
