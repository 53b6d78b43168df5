import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "causeway/adapter": fileURLToPath(new URL("./src/field/index.ts", import.meta.url)) } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/interop/**"],
    restoreMocks: true,
    testTimeout: 20_000,
  },
});
