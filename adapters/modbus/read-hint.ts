import type { Table } from "./options.js";

/** Registers or bits that follow each other, counted from 0 as on the wire. */
export interface ReadRange {
  readonly table: Table;
  readonly register: number;
  readonly count: number;
}

/** What may have been meant by a read that a device refuses. */
export interface OtherRange extends ReadRange {
  readonly why: string;
}

const OTHER_TABLE: Readonly<Record<Table, Table>> = {
  holding: "input",
  input: "holding",
  coil: "discrete",
  discrete: "coil",
};

/** Manuals that write the table into the number, counted from 1: 30001 is the first input register. */
const PREFIXED: readonly (readonly [first: number, last: number, table: Table])[] = [
  [10001, 19999, "discrete"],
  [30001, 39999, "input"],
  [40001, 49999, "holding"],
];

/** Likeliest first. Pure. */
export function otherRanges({ table, register, count }: ReadRange): readonly OtherRange[] {
  const prefixed = PREFIXED.filter(([first, last]) => register >= first && register <= last).map(
    ([first, , named]): OtherRange => ({
      table: named,
      register: register - first,
      count,
      why: `${register} of such a manual is register ${register - first}`,
    }),
  );
  const fewer: OtherRange[] = [];
  for (let half = count >> 1; half >= 1; half >>= 1) {
    fewer.push({ table, register, count: half, why: `${count} at once are too many, or lead beyond the last one` });
  }
  const before = register > 0 ? [{ table, register: register - 1, count, why: "the manual may count from 1" }] : [];
  return [
    ...prefixed,
    { table: OTHER_TABLE[table], register, count, why: "it is in the other table" },
    ...fewer,
    ...before,
  ];
}
