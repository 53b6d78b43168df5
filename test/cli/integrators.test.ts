import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../../src/base/package-root.js";
import { runCli } from "../../src/cli/cli.js";

const text = await readFile(join(packageRoot(), "docs/integrators.md"), "utf8");
const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
const SOIL = "profile: my-soil\ntitle: Soil\nadapter: ble\nobjects: []\n";

it("docs/integrators.md: its mappings and its configuration have no mistake", async () => {
  const folder = await mkdtemp(join(tmpdir(), "causeway-docs-"));
  try {
    await mkdir(join(folder, "my"));
    const mappings: string[] = [];
    for (const block of blocks.filter((one) => !one.includes("gateway:"))) {
      const file = join(folder, "my", `${mappings.length}.yaml`);
      await writeFile(file, block.startsWith("points:") ? SOIL + block : block);
      mappings.push(file);
    }
    const config = join(folder, "causeway.yaml");
    await writeFile(config, blocks.find((one) => one.includes("gateway:")) ?? "");
    const out: string[] = [];
    const code = await runCli(["check", "-c", config, ...mappings], {
      out: (line) => void out.push(line),
      err: () => undefined,
      terminal: "pipe",
      environment: {},
      signal: new AbortController().signal,
      onReload: () => undefined,
    });
    expect(out).toEqual([]);
    expect({ code, mappings: mappings.length }).toEqual({ code: 0, mappings: 4 });
  } finally {
    await rm(folder, { recursive: true });
  }
});
