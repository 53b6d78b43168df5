import { didYouMean } from "../../base/did-you-mean.js";
import { BINARY, number, type Operand, PRECEDENCE, ROUTINES, truth } from "./operator.js";
import type { ExpressionProblem, Token } from "./token.js";

/** Gives the value of a name. */
type Lookup = (name: string) => Operand;
export type Evaluate = (lookup: Lookup) => Operand;

/** Deeper nesting than any formula needs would only cost stack. */
const MAX_DEPTH = 100;

/**
 * Recursive descent over the tokens; the result of each step is a function, so nothing is interpreted later. Throws
 * `ParseFailure` only, which `parse` catches.
 */
export class Parser {
  readonly names = new Set<string>();
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  /** The whole expression. */
  parse(): Evaluate {
    const evaluate = this.#choice();
    const token = this.#tokens[this.#next];
    if (token !== undefined) throw this.#failure(`'${token.value}' is one thing too many`);
    return evaluate;
  }

  #choice(): Evaluate {
    if (++this.#depth > MAX_DEPTH) throw this.#failure("is nested too deeply");
    const condition = this.#binary(0);
    const result = this.#take("?") ? this.#alternatives(condition) : condition;
    this.#depth--;
    return result;
  }

  #alternatives(condition: Evaluate): Evaluate {
    const yes = this.#choice();
    this.#expect(":");
    const no = this.#choice();
    return (lookup) => (truth(condition(lookup)) ? yes(lookup) : no(lookup));
  }

  #binary(level: number): Evaluate {
    const operators = PRECEDENCE[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (let sign = this.#takeOneOf(operators); sign !== undefined; sign = this.#takeOneOf(operators)) {
      left = joined(sign, left, this.#binary(level + 1));
    }
    return left;
  }

  #unary(): Evaluate {
    const sign = this.#takeOneOf(["-", "!", "+"]);
    if (sign === undefined) return this.#primary();
    if (++this.#depth > MAX_DEPTH) throw this.#failure("is nested too deeply");
    const of = this.#unary();
    this.#depth--;
    if (sign === "!") return (lookup) => !truth(of(lookup));
    return sign === "-" ? (lookup) => -number(of(lookup)) : (lookup) => number(of(lookup));
  }

  #primary(): Evaluate {
    if (this.#take("(")) {
      const inner = this.#choice();
      this.#expect(")");
      return inner;
    }
    const token = this.#tokens[this.#next];
    if (token === undefined) throw this.#failure("ends too soon");
    if (token.kind === "operator") throw this.#failure(`a value is missing before '${token.value}'`);
    this.#next++;
    if (token.kind !== "name") return () => token.value;
    if (token.value === "true" || token.value === "false") return () => token.value === "true";
    return this.#take("(") ? this.#call(token.value, token.offset) : this.#reference(token.value);
  }

  #reference(name: string): Evaluate {
    this.names.add(name);
    return (lookup) => lookup(name);
  }

  #call(name: string, offset: number): Evaluate {
    const routine = Object.hasOwn(ROUTINES, name) ? ROUTINES[name] : undefined;
    if (routine === undefined) {
      const meant = didYouMean(name, Object.keys(ROUTINES));
      const hint = meant === undefined ? `there are ${Object.keys(ROUTINES).join(", ")}` : `did you mean '${meant}'?`;
      throw new ParseFailure({ offset, what: `no function '${name}'`, hint });
    }
    const operands: Evaluate[] = [];
    if (!this.#take(")")) {
      do operands.push(this.#choice());
      while (this.#take(","));
      this.#expect(")");
    }
    const { min, max, call } = routine;
    if (operands.length < min || operands.length > max) {
      const wanted = min === max ? String(min) : `${min} to ${max}`;
      throw new ParseFailure({ offset, what: `${name} takes ${wanted} values, not ${operands.length}` });
    }
    return (lookup) => call(...operands.map((operand) => number(operand(lookup))));
  }

  #takeOneOf(signs: readonly string[]): string | undefined {
    return signs.find((sign) => this.#take(sign));
  }

  #take(sign: string): boolean {
    const token = this.#tokens[this.#next];
    if (token?.kind !== "operator" || token.value !== sign) return false;
    this.#next++;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw this.#failure(`'${sign}' is missing`);
  }

  #failure(what: string): ParseFailure {
    return new ParseFailure({ offset: this.#tokens[this.#next]?.offset ?? this.#end, what });
  }
}

export class ParseFailure extends Error {
  readonly problem: ExpressionProblem;

  constructor(problem: ExpressionProblem) {
    super(problem.what);
    this.problem = problem;
  }
}

function joined(sign: string, left: Evaluate, right: Evaluate): Evaluate {
  if (sign === "&&") return (lookup) => truth(left(lookup)) && truth(right(lookup));
  if (sign === "||") return (lookup) => truth(left(lookup)) || truth(right(lookup));
  const operate = BINARY[sign];
  if (operate === undefined) throw new ParseFailure({ offset: 0, what: `no operator '${sign}'` });
  return (lookup) => operate(left(lookup), right(lookup));
}
