import { describe, expect, it } from "vitest";
import { type InstanceRow, InstanceTable, memoryInstanceStore } from "../../src/mapping/instances.js";

describe("instance ids", () => {
  it("are tried again when they could not be saved", async () => {
    const saved: InstanceRow[] = [];
    const memory = memoryInstanceStore(saved);
    let failures = 1;
    const table = await InstanceTable.open({
      load: () => memory.load(),
      save: (rows) => (failures-- > 0 ? Promise.reject(new Error("disk full")) : memory.save(rows)),
    });
    expect(table.instanceId("a", 3303, 0)).toBe(0);
    await expect(table.save()).rejects.toThrow("disk full");
    expect(table.instanceId("b", 3303, 0)).toBe(1);
    await table.save();
    await table.save();
    expect(saved.map(({ device, instanceId }) => [device, instanceId])).toEqual([
      ["a", 0],
      ["b", 1],
    ]);
  });
});
