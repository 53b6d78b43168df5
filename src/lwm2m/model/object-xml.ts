import { CausewayError } from "../../base/errors.js";
import { parseId } from "../path.js";
import type { ResourceType } from "../value.js";
import type { ObjectModel, Operations, ResourceModel } from "./model.js";
import { parseRange } from "./model-range.js";
import { readXml, type XmlElement } from "./model-xml.js";

const TYPES: Readonly<Record<string, ResourceType>> = {
  string: "string",
  integer: "integer",
  "unsigned integer": "unsigned",
  unsigned: "unsigned",
  float: "float",
  boolean: "boolean",
  opaque: "opaque",
  time: "time",
  objlnk: "objlnk",
  corelnk: "corelnk",
};

const OPERATIONS: Readonly<Record<string, Operations>> = { "": "none", R: "R", W: "W", RW: "RW", WR: "RW", E: "E" };

/**
 * The objects of an OMA object definition file (schema LWM2M.xsd or LWM2M-v1_1.xsd), tolerant of the defects of the
 * public registry. Throws LWM2M_MODEL naming the file and what is wrong.
 */
export function readObjectXml(text: string, file: string): readonly ObjectModel[] {
  const root = readXml(text, file);
  const objects = root.name === "LWM2M" ? root.children.filter((child) => child.name === "Object") : [];
  if (objects.length === 0) throw new CausewayError("LWM2M_MODEL", `${file}: no <Object> in <LWM2M>`);
  return objects.map((object) => readObject(object, file));
}

function readObject(element: XmlElement, file: string): ObjectModel {
  const id = parseId(textOf(element, "ObjectID"));
  if (id === undefined) {
    throw new CausewayError("LWM2M_MODEL", `${file}: ObjectID '${textOf(element, "ObjectID")}' is not 0 to 65535`);
  }
  const items = element.children.find((child) => child.name === "Resources")?.children ?? [];
  const resources = new Map<number, ResourceModel>();
  for (const item of items.filter((child) => child.name === "Item")) {
    const resource = readResource(item, `${file}: object ${id}`);
    if (resources.has(resource.id)) {
      throw new CausewayError("LWM2M_MODEL", `${file}: object ${id} defines resource ${resource.id} twice`);
    }
    resources.set(resource.id, resource);
  }
  return {
    id,
    name: textOf(element, "Name"),
    version: readVersion(element, `${file}: object ${id}`),
    multiple: textOf(element, "MultipleInstances") === "Multiple",
    mandatory: textOf(element, "Mandatory") === "Mandatory",
    resources,
  };
}

/** Old definitions have no ObjectVersion; then the URN may end in one, and 1.0 is meant otherwise. */
function readVersion(element: XmlElement, place: string): string {
  const urnVersion = /:(\d+\.\d+)$/.exec(textOf(element, "ObjectURN"))?.[1];
  const version = textOf(element, "ObjectVersion") || urnVersion || "1.0";
  if (/^\d{1,3}\.\d{1,3}$/.test(version)) return version;
  throw new CausewayError("LWM2M_MODEL", `${place}: ObjectVersion '${version}' is not MAJOR.MINOR`);
}

function readResource(item: XmlElement, place: string): ResourceModel {
  const idText = item.attributes.get("ID") ?? "";
  const id = parseId(idText);
  if (id === undefined) throw new CausewayError("LWM2M_MODEL", `${place}: Item ID '${idText}' is not 0 to 65535`);
  const operations = OPERATIONS[textOf(item, "Operations").toUpperCase()];
  if (operations === undefined) {
    throw new CausewayError("LWM2M_MODEL", `${place}/${id}: unknown Operations '${textOf(item, "Operations")}'`);
  }
  // The registry has executable resources with a type and marked multiple; neither means anything.
  const executable = operations === "E";
  const type = executable ? undefined : readType(textOf(item, "Type"), `${place}/${id}`);
  const units = textOf(item, "Units");
  return {
    id,
    name: textOf(item, "Name").replaceAll(/\s+/g, " "),
    operations,
    multiple: !executable && textOf(item, "MultipleInstances") === "Multiple",
    mandatory: textOf(item, "Mandatory") === "Mandatory",
    ...(type === undefined ? {} : { type }),
    ...parseRange(textOf(item, "RangeEnumeration"), type),
    ...(units === "" ? {} : { units }),
  };
}

/** A readable or writable resource without a type occurs in the registry; text can hold any value of it. */
function readType(text: string, place: string): ResourceType {
  if (text === "") return "string";
  const type = TYPES[text.toLowerCase()];
  if (type === undefined) throw new CausewayError("LWM2M_MODEL", `${place}: unknown Type '${text}'`);
  return type;
}

function textOf(element: XmlElement, name: string): string {
  return element.children.find((child) => child.name === name)?.text ?? "";
}
