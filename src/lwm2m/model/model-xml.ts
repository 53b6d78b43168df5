import { CausewayError } from "../../base/errors.js";

/** `text` is all character data directly inside the element, references decoded, trimmed. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

interface OpenElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const MAX_LENGTH = 4 * 1024 * 1024;
const MAX_DEPTH = 16;

const COMMENT = /<!--[\s\S]*?-->/.source;
const INSTRUCTION = /<\?[\s\S]*?\?>/.source;
const DOCTYPE = /<!DOCTYPE[^[>]*(?:\[[\s\S]*?\]\s*)?>/.source;
const CDATA = /<!\[CDATA\[(?<cdata>[\s\S]*?)\]\]>/.source;
const END_TAG = /<\/(?<end>[^\s>]+)\s*>/.source;
const START_TAG = /<(?<start>[^\s<>/!?]+)(?<attributes>(?:[^"'<>]|"[^"]*"|'[^']*')*)>/.source;
const TEXT = /(?<text>[^<]+)/.source;
const ANY_TOKEN = [COMMENT, INSTRUCTION, DOCTYPE, CDATA, END_TAG, START_TAG, TEXT].join("|");

/**
 * The root element of a small XML file. Namespaces are kept as part of names; a document type is skipped and its
 * entities are never expanded. Throws LWM2M_MODEL naming file and line.
 */
export function readXml(text: string, file: string): XmlElement {
  if (text.length > MAX_LENGTH) throw new CausewayError("LWM2M_MODEL", `${file}: larger than ${MAX_LENGTH} characters`);
  const source = text.replace(/^\uFEFF/, "");
  const token = new RegExp(ANY_TOKEN, "y");
  const document: OpenElement = { name: "", attributes: new Map(), children: [], text: "" };
  const open: OpenElement[] = [document];
  const fail = (what: string, offset: number): never => {
    const line = source.slice(0, offset).split("\n").length;
    throw new CausewayError("LWM2M_MODEL", `${file}:${line}: ${what}`);
  };
  while (token.lastIndex < source.length) {
    const offset = token.lastIndex;
    const parent = open.at(-1) ?? document;
    const groups = token.exec(source)?.groups;
    if (groups === undefined) return fail("not well-formed XML", offset);
    if (groups["text"] !== undefined) parent.text += decodeReferences(groups["text"]);
    if (groups["cdata"] !== undefined) parent.text += groups["cdata"];
    if (groups["end"] !== undefined) {
      if (open.length === 1 || groups["end"] !== parent.name) fail(`</${groups["end"]}> closes nothing`, offset);
      open.pop();
      parent.text = parent.text.trim();
    }
    if (groups["start"] === undefined) continue;
    const inTag = groups["attributes"] ?? "";
    const element: OpenElement = { name: groups["start"], attributes: readAttributes(inTag), children: [], text: "" };
    parent.children.push(element);
    if (!inTag.endsWith("/")) open.push(element);
    if (open.length > MAX_DEPTH) fail("nested too deeply", offset);
  }
  if (open.length > 1) fail(`<${open.at(-1)?.name}> is not closed`, source.length);
  return document.children[0] ?? fail("no element", source.length);
}

function readAttributes(text: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single] of text.matchAll(/([^\s=/"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    attributes.set(name, decodeReferences(double ?? single ?? ""));
  }
  return attributes;
}

const PREDEFINED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Only the five predefined entities and character references; anything else stays as it is written. */
function decodeReferences(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w+));/g, (whole, hex, decimal, name) => {
    if (name !== undefined) return PREDEFINED[name] ?? whole;
    const codePoint = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : whole;
  });
}
