import { describe, expect, it } from "vitest";
import { readObjectXml } from "../../../src/lwm2m/model/object-xml.js";
import { random } from "../../fakes/random.js";

const ITEM = `<Item ID="5700"><Name>Sensor
  Value</Name><Operations>R</Operations><MultipleInstances>Single</MultipleInstances>
  <Mandatory>Mandatory</Mandatory><Type>Float</Type><RangeEnumeration>0..1</RangeEnumeration><Units>Cel</Units>
  <Description><![CDATA[a < b & c]]></Description></Item>`;

function definition(items: string, head = "<ObjectID>33000</ObjectID><ObjectVersion>1.1</ObjectVersion>"): string {
  return `<?xml version="1.0"?><!-- a > comment --><LWM2M xmlns:x="y"><Object ObjectType="MODefinition">
    <Name>A &amp; B &#60;C&#x3E;</Name>${head}<MultipleInstances>Multiple</MultipleInstances>
    <Mandatory>Optional</Mandatory><Resources>${items}</Resources></Object></LWM2M>`;
}

describe("readObjectXml", () => {
  it("reads an object definition", () => {
    const [model] = readObjectXml(`\uFEFF${definition(ITEM)}`, "own.xml");
    expect(model).toMatchObject({ id: 33000, name: "A & B <C>", version: "1.1", multiple: true, mandatory: false });
    expect(model?.resources.get(5700)).toEqual({
      id: 5700,
      name: "Sensor Value",
      operations: "R",
      multiple: false,
      mandatory: true,
      type: "float",
      range: { min: 0, max: 1 },
      units: "Cel",
    });
  });

  it.each([
    ["<ObjectID>7</ObjectID><ObjectURN>urn:oma:lwm2m:oma:7:2.1</ObjectURN>", "2.1"],
    ["<ObjectID>7</ObjectID><ObjectURN>urn:oma:lwm2m:oma:7</ObjectURN>", "1.0"],
    ["<ObjectID>7</ObjectID>", "1.0"],
  ])("finds the version of %s", (head, version) => {
    expect(readObjectXml(definition("", head), "x")[0]?.version).toBe(version);
  });

  it("takes no type and no multiplicity for an executable resource", () => {
    const item = `<Item ID='1'><Operations>E</Operations><MultipleInstances>Multiple</MultipleInstances><Type>String</Type></Item>`;
    const resource = readObjectXml(definition(item), "x")[0]?.resources.get(1);
    expect(resource).toEqual({ id: 1, name: "", operations: "E", multiple: false, mandatory: false });
  });

  it("skips a document type and expands none of its entities", () => {
    const xml = `<!DOCTYPE LWM2M [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${definition("").replace("A &amp;", "&b; &amp;")}`;
    expect(readObjectXml(xml, "x")[0]?.name).toBe("&b; & B <C>");
  });

  it.each([
    ["", /own\.xml:1: no element/],
    ["hello", /own\.xml/],
    ["<LWM2M>\n<Object>", /own\.xml:2: <Object> is not closed/],
    ["<a>\n</b>", /own\.xml:2: <\/b> closes nothing/],
    ["<a", /own\.xml:1: not well-formed/],
    ["<LWM2M></LWM2M>", /no <Object>/],
    [definition("", "<ObjectID>70000</ObjectID>"), /ObjectID '70000'/],
    [definition("", "<ObjectID>7</ObjectID><ObjectVersion>new</ObjectVersion>"), /ObjectVersion 'new'/],
    [definition(ITEM + ITEM), /resource 5700 twice/],
    [definition(ITEM.replace("5700", "x")), /Item ID 'x'/],
    [definition(ITEM.replace("Float", "Complex")), /33000\/5700: unknown Type 'Complex'/],
    [definition(ITEM.replace(">R<", ">Q<")), /unknown Operations 'Q'/],
    ["<a>".repeat(50), /too deeply/],
  ])("refuses %j", (xml, message) => {
    expect(() => readObjectXml(xml, "own.xml")).toThrow(expect.objectContaining({ code: "LWM2M_MODEL" }));
    expect(() => readObjectXml(xml, "own.xml")).toThrow(message);
  });

  it("ends every damaged file with LWM2M_MODEL or a model", () => {
    const { seed, below } = random();
    const good = definition(ITEM);
    for (let round = 0; round < 500; round++) {
      const at = below(good.length);
      const damaged = good.slice(0, at) + "<>/&\"'!-]["[below(10)] + good.slice(at + below(20));
      try {
        readObjectXml(damaged, "x");
      } catch (error) {
        expect(error, `seed ${seed}`).toMatchObject({ code: "LWM2M_MODEL" });
      }
    }
  });
});
