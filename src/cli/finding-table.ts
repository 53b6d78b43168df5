import type { Finding } from "../field/tool.js";
import { oneLine } from "./one-line.js";

const GAP = "  ";

/** Rows as they come, below each other; widths only grow, for a search may take minutes and nobody waits for its end. */
export class FindingTable {
  #columns: readonly string[] = [];
  #widths = new Map<string, number>();

  /** The lines to print: the rows, after a header where they have a column that those before had not. */
  add(...findings: readonly Finding[]): readonly string[] {
    const keys = [...new Set(findings.flatMap((finding) => Object.keys(finding)))];
    const isNew = keys.some((key) => !this.#columns.includes(key));
    if (isNew) {
      this.#columns = keys;
      this.#widths = new Map(keys.map((key) => [key, title(key).length]));
    }
    const rows = findings.map((finding) => this.#columns.map((key) => cellOf(finding[key])));
    for (const [index, key] of this.#columns.entries()) {
      const widths = rows.map((cells) => cells[index]?.length ?? 0);
      this.#widths.set(key, Math.max(this.#widths.get(key) ?? 0, ...widths));
    }
    const lines = rows.map((cells) => this.#line(cells));
    return isNew ? [this.#line(this.#columns.map(title)), ...lines] : lines;
  }

  #line(cells: readonly string[]): string {
    const padded = cells.map((cell, index) => cell.padEnd(this.#widths.get(this.#columns[index] ?? "") ?? 0));
    return padded.join(GAP).trimEnd();
  }
}

function cellOf(value: Finding[string]): string {
  if (value === undefined || value === false) return "";
  if (value === true) return "✓";
  return oneLine(typeof value === "object" ? value.join(" ") : String(value));
}

/** `baudRate` as `BAUD RATE`. */
function title(key: string): string {
  return key.replace(/[A-Z]/g, " $&").toUpperCase();
}
