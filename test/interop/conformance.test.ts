import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { Child } from "./child.js";

const PROGRAM = fileURLToPath(new URL("../../dist/conformance/main.js", import.meta.url));
/** What OMA-ETS-LightweightM2M_INT 1.2 has in chapter 6. */
const ETS_CASES = 155;

interface Verdict {
  readonly id: string;
  readonly entry: boolean;
  readonly result: "pass" | "differs" | "not covered";
  readonly what?: string;
}

it("the OMA ETS: no covered case differs, every other has its reason", async () => {
  await using child = new Child(process.execPath, [PROGRAM, "--json"]);
  const code = await child.ended;
  const verdicts: readonly Verdict[] = JSON.parse(child.lines.at(-1) ?? "[]");
  expect(verdicts.filter(({ result }) => result === "differs")).toEqual([]);
  expect(code, child.complaint).toBe(0);
  const ids = verdicts.map(({ id }) => id).filter((id) => id.includes("-int-"));
  expect(new Set(ids).size).toBe(ETS_CASES);
  expect(verdicts.filter(({ result, what }) => result === "not covered" && what === undefined)).toEqual([]);
  const entry = verdicts.filter((verdict) => verdict.entry).map(({ id, result }) => `${id} ${result}`);
  expect(entry).toEqual(["1.1-int-101 pass", "1.1-int-102 pass", "1.1-int-201 pass", "1.1-int-203 pass"]);
});
