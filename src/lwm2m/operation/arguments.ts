import { CausewayError } from "../../base/errors.js";

/** OMA LwM2M Core 1.2 §6.3.5: a digit, or digit='text'; no spaces. */
const LIST = /^\d(='[!#-&(-[\]-~]*')?(,\d(='[!#-&(-[\]-~]*')?)*$/;
const ONE = /(\d)(?:='([^']*)')?/g;

/** The arguments of an Execute by their digit, "" where one has no text; throws LWM2M_BAD_REQUEST. */
export function parseArguments(text: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  if (text === "") return found;
  if (!LIST.test(text)) throw bad("the arguments break the grammar of Execute");
  for (const [, digit, value = ""] of text.matchAll(ONE)) {
    if (found.has(Number(digit))) throw bad("an argument number occurs twice");
    found.set(Number(digit), value);
  }
  return found;
}

function bad(what: string): CausewayError {
  return new CausewayError("LWM2M_BAD_REQUEST", what);
}
