import { CausewayError } from "../../base/errors.js";

/** A link of RFC 6690 with its attributes in order; `true` is an attribute without a value. */
export interface Link {
  readonly target: string;
  readonly attributes: ReadonlyMap<string, string | number | true>;
}

export function link(target: string, attributes: Readonly<Record<string, string | number | true>> = {}): Link {
  return { target, attributes: new Map(Object.entries(attributes)) };
}

/** `</3/0>;ver=1.2,</3303>`; numbers and versions stay bare, other text is quoted. */
export function formatLinks(links: readonly Link[]): string {
  return links.map(formatLink).join(",");
}

function formatLink({ target, attributes }: Link): string {
  let text = `<${target}>`;
  for (const [name, value] of attributes) text += value === true ? `;${name}` : `;${name}=${formatAttribute(value)}`;
  return text;
}

function formatAttribute(value: string | number): string {
  const text = String(value);
  return /^[0-9A-Za-z.+-]+$/.test(text) && /^[0-9.+-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

const LINK = /\s*<([^<>]*)>/y;
const ATTRIBUTE = /\s*;\s*([!#$&+\-.^_`|~0-9A-Za-z*]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+)))?/y;
const SEPARATOR = /\s*(,|$)/y;

/** Reads quoted and bare values and forgives white space; throws LWM2M_DECODE naming the place. */
export function parseLinks(text: string): readonly Link[] {
  const links: Link[] = [];
  let offset = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    const sticky = new RegExp(pattern);
    sticky.lastIndex = offset;
    const match = sticky.exec(text);
    if (match !== null) offset += match[0].length;
    return match;
  };
  while (text.trim() !== "") {
    const target = next(LINK)?.[1];
    if (target === undefined) throw new CausewayError("LWM2M_DECODE", `links at character ${offset}: expected <path>`);
    const attributes = new Map<string, string | true>();
    for (let match = next(ATTRIBUTE); match !== null; match = next(ATTRIBUTE)) {
      attributes.set(match[1] ?? "", match[2]?.replaceAll(/\\(.)/g, "$1") ?? match[3] ?? true);
    }
    links.push({ target, attributes });
    const separator = next(SEPARATOR)?.[1];
    if (separator === undefined)
      throw new CausewayError("LWM2M_DECODE", `links at character ${offset}: expected , or ;`);
    if (separator === "") break;
  }
  return links;
}
