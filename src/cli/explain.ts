import { didYouMean } from "../base/did-you-mean.js";
import { ERROR_TABLE, isErrorCode } from "../base/errors.js";
import { type Command, EXIT } from "./command.js";

const RETRY_TEXT = {
  never: "The same request will fail again.",
  now: "It may be tried again at once.",
  later: "Causeway tries again by itself.",
  operator: "It needs a person.",
};

export const explain: Command = {
  name: "explain",
  synopsis: "CODE",
  summary: "Tells what an error code means and what to do. Without a code it lists all of them.",
  options: { json: { type: "boolean", summary: "prints JSON" } },
  positionals: "one",
  run(args, io) {
    const [code] = args.positionals;
    if (code === undefined) {
      const rows = Object.entries(ERROR_TABLE).map(([name, { what }]) => `${name.padEnd(24)} ${what}`);
      io.out(args.values["json"] === true ? JSON.stringify(ERROR_TABLE) : rows.join("\n"));
      return Promise.resolve(EXIT.good);
    }
    const known = code.toUpperCase();
    if (!isErrorCode(known)) {
      const guess = didYouMean(known, Object.keys(ERROR_TABLE));
      io.err(`no error code '${code}'${guess === undefined ? "" : ` (did you mean '${guess}'?)`}`);
      return Promise.resolve(EXIT.badConfiguration);
    }
    const { what, remedy, retry, coap } = ERROR_TABLE[known];
    if (args.values["json"] === true) io.out(JSON.stringify({ code: known, what, remedy, retry, coap }));
    else io.out([known, `  ${what}`, `  ${RETRY_TEXT[retry]}`, `  To do: ${remedy}`, `  CoAP: ${coap}`].join("\n"));
    return Promise.resolve(EXIT.good);
  },
};
