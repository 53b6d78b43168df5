/** `npm run conformance [-- --only ID …] [--json]`; exits with 1 when a case differs, 2 when there is no such case. */
import { parseArgs } from "node:util";
import type { Verdict } from "./case.js";
import { access } from "./cases/access.js";
import { alternatePath } from "./cases/alternate-path.js";
import { bootstrap } from "./cases/bootstrap.js";
import { connectivity } from "./cases/connectivity.js";
import { discovery } from "./cases/discover.js";
import { dmRead } from "./cases/dm-read.js";
import { dmWrite } from "./cases/dm-write.js";
import { gateway, gatewayBootstrap } from "./cases/gateway.js";
import { instances } from "./cases/instances.js";
import { leshan } from "./cases/leshan.js";
import { objects } from "./cases/objects.js";
import { portfolio } from "./cases/portfolio.js";
import { registration } from "./cases/registration.js";
import { reporting } from "./cases/reporting.js";
import { restart } from "./cases/restart.js";
import { stored } from "./cases/stored.js";
import { uncovered } from "./cases/uncovered.js";
import { formatVerdicts, inOrder } from "./report.js";
import { runCases } from "./run.js";

/** What takes longest begins first. */
const CASES = [
  ...reporting,
  ...bootstrap,
  ...connectivity,
  ...registration,
  ...restart,
  ...stored,
  ...dmWrite,
  ...dmRead,
  ...discovery,
  ...instances,
  ...portfolio,
  ...objects,
  ...access,
  ...gateway,
  ...gatewayBootstrap,
  ...alternatePath,
  ...leshan,
];

const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, json: { type: "boolean", default: false } },
});

const wanted = values.only ?? [];
/** `101` is as good as `1.1-int-101`. */
const isNamed = (name: string, id: string): boolean => id === name || id.endsWith(`-int-${name}`);
const isWanted = ({ id }: { readonly id: string }): boolean =>
  wanted.length === 0 || wanted.some((name) => isNamed(name, id));

const unknown = wanted.filter((name) => ![...CASES, ...uncovered].some(({ id }) => isNamed(name, id)));
if (unknown.length > 0) {
  console.error(`the ETS has no case ${unknown.join(", ")}`);
  process.exit(2);
}
const skipped = uncovered
  .filter(isWanted)
  .map(({ id, title, reason }) => ({ id, title, entry: false, result: "not covered" as const, what: reason }));
const judged = await runCases(CASES.filter(isWanted), ({ id, result }) => console.error(`${id} ${result}`));
const verdicts: readonly Verdict[] = inOrder([...judged, ...skipped]);
console.log(values.json ? JSON.stringify(verdicts) : formatVerdicts(verdicts));
if (verdicts.some(({ result }) => result === "differs")) process.exitCode = 1;
