import type { Verdict } from "./case.js";

/** By the number at the end of the id, as the ETS counts; cases of our own come after those, by their ids. */
export function inOrder(verdicts: readonly Verdict[]): readonly Verdict[] {
  const numberOf = ({ id }: Verdict): number =>
    isOwn(id) ? Number.MAX_SAFE_INTEGER : Number(id.slice(id.lastIndexOf("-") + 1));
  return [...verdicts].sort((a, b) => numberOf(a) - numberOf(b) || a.id.localeCompare(b.id));
}

function isOwn(id: string): boolean {
  return !id.includes("-int-");
}

/** One line per case: id, `*` for an entry criterion of the TestFest, title, verdict. */
export function formatVerdicts(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(({ id, title, entry, result, what }) => {
    const word = result === "differs" ? "DIFFERS" : result;
    const verdict = what === undefined ? word : `${word}: ${what.replaceAll(/\s+/g, " ")}`;
    return `${`${id}${entry ? " *" : ""}`.padEnd(20)}  ${title.padEnd(62)}  ${verdict}`;
  });
  const count = (result: Verdict["result"]): number => verdicts.filter((verdict) => verdict.result === result).length;
  const sum = `${count("pass")} pass, ${count("differs")} differ, ${count("not covered")} not covered; * TestFest entry criterion`;
  return [...lines, "", sum].join("\n");
}
