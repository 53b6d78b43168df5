import type { TracedFrame } from "../field/adapter.js";

/** A frame for people, as `13:02:10.073 -> 07 04 09 e8 00 02 f2 05`; UTC. */
export function frameText({ atMs, direction, hex, text }: TracedFrame, link = ""): string {
  const time = new Date(atMs).toISOString().slice(11, 23);
  const arrow = direction === "out" ? "->" : "<-";
  return [time, link, arrow, text ?? spaced(hex)].filter((part) => part !== "").join(" ");
}

function spaced(hex: string): string {
  return hex.replace(/..(?!$)/g, "$& ");
}
