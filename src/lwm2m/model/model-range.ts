import type { ResourceType } from "../value.js";
import type { ResourceModel } from "./model.js";

type Limits = Pick<ResourceModel, "range" | "allowed">;

const NUMBER = String.raw`-?\d+(?:\.\d+)?`;
const SPAN = new RegExp(String.raw`^\[?(${NUMBER})\s*(?:\.{2,3}|-|:)\s*(${NUMBER})\]?$`);
const BITS = /^(\d{1,2})[ -]bits?$/i;
const BYTES = /\s*bytes?$/i;
const LABELLED = /(?:^|[\s,;])(-?\d+)\s*:\s*[A-Za-z]/g;
const MOST_ALLOWED = 1024;

/**
 * What OMA's free-text RangeEnumeration says, as far as it can be understood: `0..255`, `1...15`, `0-7`, `64 bytes`,
 * `8-Bits`, `0,1,2`, `0..247, 255`, `0: OFF 1: ON`, `ON;OFF`. Everything else is no limit, never an error.
 */
export function parseRange(text: string, type: ResourceType | undefined): Limits {
  const trimmed = text.trim();
  if (trimmed === "") return {};
  switch (type) {
    case "integer":
    case "unsigned":
    case "time":
      return wholeLimits(trimmed);
    case "float":
      return spanLimits(trimmed);
    case "string":
    case "corelnk":
    case "opaque":
      return lengthLimits(trimmed, type);
    default:
      return {};
  }
}

function wholeLimits(text: string): Limits {
  const bits = BITS.exec(text);
  if (bits !== null) return { range: { min: 0, max: 2 ** Number(bits[1]) - 1 } };
  if (/^\d+$/.test(text)) return { range: { min: 0, max: Number(text) } };
  const labels = [...text.matchAll(LABELLED)].map(([, label]) => Number(label));
  if (labels.length > 1) return { allowed: labels };
  const span = spanLimits(text);
  return span.range === undefined ? listLimits(text) : span;
}

function spanLimits(text: string): Limits {
  const match = SPAN.exec(text);
  const [min, max] = [Number(match?.[1] ?? Number.NaN), Number(match?.[2] ?? Number.NaN)];
  return min <= max ? { range: { min, max } } : {};
}

/** `0,1,2` and `0..247, 255`: every number and every whole number of the spans. */
function listLimits(text: string): Limits {
  const allowed: number[] = [];
  for (const item of text.split(/[,;]/)) {
    const one = /^-?\d+$/.test(item.trim()) ? Number(item) : undefined;
    const { min, max } = one === undefined ? (spanLimits(item.trim()).range ?? {}) : { min: one, max: one };
    if (min === undefined || max === undefined || allowed.length + max - min >= MOST_ALLOWED) return {};
    for (let value = min; value <= max; value++) allowed.push(value);
  }
  return { allowed };
}

function lengthLimits(text: string, type: ResourceType): Limits {
  const length = text.replace(BYTES, "");
  if (/^\d+$/.test(length)) return { range: { min: 0, max: Number(length) } };
  const words = text.split(";").map((word) => word.trim());
  if (type === "string" && words.length > 1 && words.every((word) => /^[A-Z_]+$/i.test(word)))
    return { allowed: words };
  return spanLimits(length);
}
