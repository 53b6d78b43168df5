import type { Quality, Scalar } from "../field/reading.js";

/** One line of the live table: a point, where it is in LwM2M, and when the server got it. */
export interface TableRow {
  readonly device: string;
  readonly point: string;
  readonly unit: string;
  readonly path: string;
  value: Scalar | undefined;
  quality: Quality;
  /** Wall clock; undefined until the server got the first value. */
  receivedAtMs: number | undefined;
}

const HEADER = ["DEVICE", "POINT", "VALUE", "UNIT", "QUALITY", "LWM2M PATH", "SERVER GOT IT"];

export function renderTable(rows: readonly TableRow[], nowMs: number): readonly string[] {
  const cells = rows.map((row) => [
    row.device,
    row.point,
    formatValue(row.value),
    row.unit,
    row.quality,
    row.path,
    row.receivedAtMs === undefined ? "-" : `${((nowMs - row.receivedAtMs) / 1000).toFixed(1)} s ago`,
  ]);
  const widths = HEADER.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  return [HEADER, ...cells].map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function formatValue(value: Scalar | undefined): string {
  if (value === undefined) return "-";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(2);
  return String(value);
}
