import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Real peers: one file at a time, because they share ports, ptys and two cores.
export default defineConfig({
  resolve: { alias: { "causeway/adapter": fileURLToPath(new URL("./src/field/index.ts", import.meta.url)) } },
  test: {
    include: ["test/interop/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
