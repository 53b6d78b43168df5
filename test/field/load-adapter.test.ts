import { describe, expect, it } from "vitest";
import { loadAdapter } from "../../src/field/load-adapter.js";

describe("loading adapters by name", () => {
  it.each(["modbus", "sim"])("finds %s", async (name) => {
    expect((await loadAdapter(name)).name).toBe(name);
  });

  it.each(["nothing-of-this-name", "../sim", "", "Modbus"])("says that '%s' is not installed", async (name) => {
    await expect(loadAdapter(name)).rejects.toMatchObject({ code: "ADAPTER_UNKNOWN" });
  });
});
