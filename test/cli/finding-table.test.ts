import { describe, expect, it } from "vitest";
import { FindingTable } from "../../src/cli/finding-table.js";

describe("the table of findings", () => {
  it("has a header, and another one for rows with other columns", () => {
    const table = new FindingTable();
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
      "UNIT  BAUD RATE  PROFILES  VENDOR",
      "3     115200               Acme",
      "4     9600                 B",
    ]);
  });

  it("ticks what is, and leaves out what is not", () => {
    const rows = [
      { as: "a", plausible: true },
      { as: "b", plausible: false },
    ];
    expect(new FindingTable().add(...rows)).toEqual(["AS  PLAUSIBLE", "a   ✓", "b"]);
  });

  it("shows what would move the cursor or break the line", () => {
    expect(new FindingTable().add({ topic: "a\u001b[2Jb\nc\u202ed" })).toEqual(["TOPIC", "a·[2Jb·c·d"]);
  });

  it("makes columns as wide as the widest of the rows that come at once", () => {
    const rows = [{ as: "uint16", value: "1" }, { as: "float32 ABCD", value: "231.4" }, { as: "bits" }];
    expect(new FindingTable().add(...rows)).toEqual([
      "AS            VALUE",
      "uint16        1",
      "float32 ABCD  231.4",
      "bits",
    ]);
  });
});
