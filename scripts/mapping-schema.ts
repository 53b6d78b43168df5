import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../src/base/package-root.js";
import { loadAdapter } from "../src/field/load-adapter.js";
import { formatJsonSchema, profileJsonSchema } from "./profile-json-schema.js";

// Writes mappings/schema.json for the adapters that come with Causeway.
const folder = join(packageRoot(), "adapters");
const entries = await readdir(folder, { withFileTypes: true });
const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
const adapters = await Promise.all(names.sort().map(loadAdapter));
const file = join(packageRoot(), "mappings", "schema.json");
await writeFile(file, formatJsonSchema(profileJsonSchema(adapters)));
console.log(`${file}: ${names.join(", ")}`);
