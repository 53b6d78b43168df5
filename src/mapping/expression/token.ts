/** A piece of an expression; `offset` counts characters from 0. */
export type Token =
  | { readonly kind: "number"; readonly value: number; readonly offset: number }
  | { readonly kind: "text"; readonly value: string; readonly offset: number }
  | { readonly kind: "name"; readonly value: string; readonly offset: number }
  | { readonly kind: "operator"; readonly value: string; readonly offset: number };

/** What is wrong with an expression, and where. */
export interface ExpressionProblem {
  readonly offset: number;
  readonly what: string;
  readonly hint?: string;
}

const PATTERNS: readonly (readonly [kind: Token["kind"] | "space", pattern: RegExp])[] = [
  ["space", /\s+/y],
  ["number", /0x[\da-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy],
  ["name", /[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*/y],
  ["text", /"[^"]*"|'[^']*'/y],
  ["operator", /<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%()<>?:,&|!]/y],
];

/** Splits an expression, or says at which character it cannot be split. */
export function tokenize(source: string): readonly Token[] | ExpressionProblem {
  const tokens: Token[] = [];
  for (let offset = 0; offset < source.length; ) {
    const found = match(source, offset);
    if (found === undefined) return unreadable(source, offset);
    const { kind, text } = found;
    if (kind === "number") tokens.push({ kind, value: Number(text), offset });
    else if (kind === "text") tokens.push({ kind, value: text.slice(1, -1), offset });
    else if (kind !== "space") tokens.push({ kind, value: text, offset });
    offset += text.length;
  }
  return tokens;
}

function match(source: string, offset: number): { kind: Token["kind"] | "space"; text: string } | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = offset;
    const text = pattern.exec(source)?.[0];
    if (text !== undefined) return { kind, text };
  }
  return undefined;
}

const HINTS: Readonly<Record<string, string>> = {
  "=": "equal is ==",
  "^": "a power is pow(base, exponent)",
  "~": "there is no bitwise not",
  '"': "the text does not end",
  "'": "the text does not end",
};

function unreadable(source: string, offset: number): ExpressionProblem {
  const sign = source[offset] ?? "";
  const hint = HINTS[sign];
  return { offset, what: `'${sign}' cannot stand in an expression`, ...(hint === undefined ? {} : { hint }) };
}
