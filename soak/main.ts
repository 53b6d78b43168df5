import { parseArgs } from "node:util";
import { soak } from "./soak.js";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" }, seed: { type: "string" } } });
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const minutes = Number(values.minutes);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error("npm run soak -- [--minutes N] [--seed N]");
  process.exit(2);
}
console.error(`seed ${seed}, ${minutes} minutes`);
const report = await soak({ seed, runMs: minutes * 60_000, progress: (line) => console.error(line) });
const { complaints, ...figures } = report;
console.log(JSON.stringify(figures, undefined, 2));
for (const complaint of complaints) console.error(complaint);
console.log(complaints.length === 0 ? `good; --seed ${seed} runs it again` : `NOT good; --seed ${seed} runs it again`);
process.exitCode = complaints.length === 0 ? 0 : 1;
