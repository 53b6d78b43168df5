import { describe, expect, it } from "vitest";
import { FindingTable } from "../../src/cli/finding-table.js";

describe("the table of findings", () => {
  it("has a header, grows its columns, and tells of new ones", () => {
    const table = new FindingTable();
    expect(table.isEmpty).toBe(true);
    const lines = [
      { unit: 1, baudRate: 9600, profiles: ["sdm120", "sdm630"] },
      { unit: 247, baudRate: 9600 },
      { unit: 3, baudRate: 115200, profiles: [], vendor: "Acme" },
      { unit: 4, baudRate: 9600, vendor: "B" },
    ].flatMap((finding) => table.add(finding));
    expect(lines).toEqual([
      "UNIT  BAUD RATE  PROFILES",
      "1     9600       sdm120 sdm630",
      "247   9600",
      "UNIT  BAUD RATE  PROFILES       VENDOR",
      "3     115200                    Acme",
      "4     9600                      B",
    ]);
    expect(table.isEmpty).toBe(false);
  });
});
