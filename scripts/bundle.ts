import { chmodSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { packageRoot } from "../src/base/package-root.js";

/**
 * Joins what `tsc` built into a few files, `dist/bundle`, laid out as `dist` is: Node spends more time on finding some
 * three hundred small modules than on running them. Adapters and programs that find others by path stay entries.
 */
const dist = join(packageRoot(), "dist");
const adapters = readdirSync(join(dist, "adapters"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const entries = [
  "src/main",
  "src/demo/server",
  "src/demo/field",
  ...adapters.map(({ name }) => `adapters/${name}/index`),
];
const folder = join(dist, "bundle");
rmSync(folder, { recursive: true, force: true });
const bundle = await rolldown({
  input: Object.fromEntries(entries.map((entry) => [entry, join(dist, `${entry}.js`)])),
  platform: "node",
  // Packages stay where npm puts them.
  external: /^(?!causeway\/)[^./]/,
  resolve: { alias: { "causeway/adapter": join(dist, "src/field/index.js") } },
});
await bundle.write({ dir: folder, entryFileNames: "[name].js", chunkFileNames: "src/lib/[name]-[hash].js" });
await bundle.close();
chmodSync(join(folder, "src/main.js"), 0o755);
