import type { Finding } from "../field/tool.js";

const GAP = "  ";

/** Rows as they come, below each other; columns only grow, for a search may take minutes and nobody waits for its end. */
export class FindingTable {
  #columns: readonly string[] = [];
  #widths = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#columns.length === 0;
  }

  /** The lines to print: the row, after a header where it has other columns than the one before. */
  add(finding: Finding): readonly string[] {
    const keys = Object.keys(finding);
    const isNew = keys.some((key) => !this.#columns.includes(key));
    if (isNew) this.#columns = [...this.#columns, ...keys.filter((key) => !this.#columns.includes(key))];
    const cells = this.#columns.map((key) => cellOf(finding[key]));
    for (const [index, key] of this.#columns.entries()) {
      this.#widths.set(key, Math.max(this.#widths.get(key) ?? title(key).length, cells[index]?.length ?? 0));
    }
    const row = this.#line(cells);
    return isNew ? [this.#line(this.#columns.map(title)), row] : [row];
  }

  #line(cells: readonly string[]): string {
    const padded = cells.map((cell, index) => cell.padEnd(this.#widths.get(this.#columns[index] ?? "") ?? 0));
    return padded.join(GAP).trimEnd();
  }
}

function cellOf(value: Finding[string]): string {
  if (value === undefined) return "";
  return typeof value === "object" ? value.join(" ") : String(value);
}

/** `baudRate` as `BAUD RATE`. */
function title(key: string): string {
  return key.replace(/[A-Z]/g, " $&").toUpperCase();
}
