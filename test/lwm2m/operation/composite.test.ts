import { beforeEach, describe, expect, it } from "vitest";
import { fromHex, utf8Decode } from "../../../src/base/bytes.js";
import { CausewayError } from "../../../src/base/errors.js";
import { CborWriter } from "../../../src/lwm2m/codec/cbor-writer.js";
import type { ObjectTree, ResourceHandler, WrittenValue } from "../../../src/lwm2m/tree.js";
import type { Value } from "../../../src/lwm2m/value.js";
import { type Bench, model, startBench } from "../../fakes/lwm2m-client.js";

const JSON_ = 110;
const SENML_CBOR = 112;
const ETCH_JSON = 320;
const ETCH_CBOR = 322;
const LWM2M_CBOR = 11544;

let bench: Bench;
let relays: Relay[];

/** A relay as a device behind the tree: it reports what was written, unless it refuses. */
class Relay {
  readonly written: WrittenValue[] = [];
  answers: "takes" | "refuses" = "takes";
  /** Refuses from the so-manyth write on. */
  patience = Number.POSITIVE_INFINITY;

  handler(tree: ObjectTree, instanceId: number): ResourceHandler {
    return {
      write: async (value) => {
        if (this.answers === "refuses" || this.written.length >= this.patience) {
          throw new CausewayError("FIELD_TIMEOUT", `relay ${instanceId} does not answer`);
        }
        this.written.push(value);
        if (typeof value === "boolean") tree.set([3306, instanceId, 5850], { value, atMs: 0 });
      },
    };
  }
}

beforeEach(async () => {
  relays = [new Relay(), new Relay(), new Relay()];
  bench = await startBench({
    prepare(tree) {
      const atMs = Date.UTC(2026, 0, 1);
      const put = (path: readonly number[], value: Value) => tree.set(path, { value, atMs });
      put([3, 0, 9], 95);
      put([3, 0, 6, 0], 1);
      put([3, 0, 6, 1], 5);
      tree.addObject(model(16), { by: "servers", create: () => new Map(), removed: () => undefined });
      tree.addInstance(model(16), 0);
      for (const [id, value] of ["Host", "HW", "Class", "SW"].entries()) put([16, 0, 0, id], value);
      tree.addObject(model(3442), undefined, "model");
      tree.addInstance(model(3442), 0);
      for (const [instanceId, relay] of relays.entries()) {
        tree.addInstance(model(3306), instanceId, new Map([[5850, relay.handler(tree, instanceId)]]));
        put([3306, instanceId, 5850], false);
      }
    },
  });
});

const fetch = (names: readonly string[], more: { contentFormat?: number; accept?: number } = {}) =>
  bench.server.text("FETCH", "/", {
    contentFormat: ETCH_JSON,
    accept: JSON_,
    payload: JSON.stringify(names.map((n) => ({ n }))),
    ...more,
  });
const patch = (payload: string | Uint8Array, contentFormat = ETCH_JSON) =>
  bench.server.text("iPATCH", "/", { contentFormat, payload });
const value = (path: string): unknown => {
  const [objectId = -1, instanceId = -1, resourceId = -1, id = 0] = path.split("/").slice(1).map(Number);
  return bench.tree.resource(objectId, instanceId, resourceId)?.samples.get(id)?.value;
};

describe("Read-Composite", () => {
  it("Core 1.2 §7.5.6: resources of several objects", async () => {
    expect(await fetch(["/3/0/0", "/3/0/9", "/1/0/1"])).toBe(
      '2.05 [{"bn":"/3/0/","n":"0","vs":"Causeway"},{"n":"9","v":95},{"bn":"/1/0/1","v":300}]',
    );
  });

  it.each([
    [JSON_, '[{"n":"/3/0/9"},{"n":"/1/0/1"}]'],
    [ETCH_JSON, '[{"bn":"/","n":"3/0/9"},{"n":"1/0/1"}]'],
    [SENML_CBOR, namesInCbor("/3/0/9", "/1/0/1")],
    [ETCH_CBOR, namesInCbor("/3/0/9", "/1/0/1")],
  ])("takes names in %i, answers in each accepted format", async (contentFormat, payload) => {
    const ask = (accept: number) => bench.server.text("FETCH", "/", { contentFormat, payload, accept });
    expect(await ask(JSON_)).toBe('2.05 [{"n":"/3/0/9","v":95},{"n":"/1/0/1","v":300}]');
    expect(await ask(LWM2M_CBOR)).toBe("2.05 a28303000918 5f8301000119012c".replace("18 5f", "185f"));
    expect(await ask(SENML_CBOR)).toMatch(/^2\.05 82a2/);
  });

  it("answers in SenML CBOR without Accept", async () => {
    const payload = namesInCbor("/3/0/9");
    const answer = await bench.server.ask("FETCH", "/", { contentFormat: ETCH_CBOR, payload });
    expect(answer?.contentFormat).toBe(SENML_CBOR);
  });

  it("int-229: objects, instances, resources and resource instances, each value once", async () => {
    const text = await fetch(["/3306", "/1/0", "/1/0/1", "/3306/1/5850", "/3/0/11/0"]);
    const names = [...text.matchAll(/"n":"([^"]+)"/g)].map(([, name]) => name);
    expect(names.filter((name) => name === "/1/0/1" || name === "1")).toHaveLength(1);
    expect(text.match(/5850/g)).toHaveLength(3);
    expect(text).toContain("11/0");
  });

  it("int-235: everything but what is for bootstrap servers", async () => {
    const text = await fetch(["/"]);
    expect(text).toContain("3306");
    expect(text).toContain("Host");
    expect(text).not.toMatch(/"(bn|n)":"\/?0\//);
  });

  it("int-236, 281: what is not there, has no value or cannot be read is left out", async () => {
    const names = ["/3/0/4", "/3/0/9", "/4711", "/16/7/0", "/3/0/9/0", "/3/0/6/7", "/3306/0/5750", "/d01/3/0/9"];
    expect(await fetch(names)).toBe('2.05 [{"bn":"/3/0/9","v":95}]');
    expect(await fetch(["/16/7", "/3/0/4"])).toBe("2.05 []");
    expect(await fetch(["/16/7"], { accept: LWM2M_CBOR })).toBe("2.05 a0");
  });

  it("answers at once, without a promise", () => {
    const ask = { contentFormat: JSON_, payload: '[{"n":"/3/0/9"}]' };
    expect(bench.server.askNow("FETCH", "/", ask)).not.toBeInstanceOf(Promise);
  });

  it.each<[string, string, number | undefined, number | undefined, string, string]>([
    ["a path", "/3", ETCH_JSON, JSON_, '[{"n":"/3/0/9"}]', "4.05"],
    ["a query", "/?depth=1", ETCH_JSON, JSON_, '[{"n":"/3/0/9"}]', "4.02"],
    ["names in another format", "/", 0, JSON_, "/3/0/9", "4.15"],
    ["names in LwM2M CBOR", "/", LWM2M_CBOR, JSON_, "", "4.15"],
    ["no Content-Format", "/", undefined, JSON_, '[{"n":"/3/0/9"}]', "4.15"],
    ["an answer in text", "/", ETCH_JSON, 0, '[{"n":"/3/0/9"}]', "4.06"],
    ["an answer in TLV", "/", ETCH_JSON, 11542, '[{"n":"/3/0/9"}]', "4.06"],
    ["an answer in SenML-ETCH", "/", ETCH_JSON, ETCH_JSON, '[{"n":"/3/0/9"}]', "4.06"],
    ["a value", "/", ETCH_JSON, JSON_, '[{"n":"/3/0/9","v":1}]', "4.00"],
    ["a name twice", "/", ETCH_JSON, JSON_, '[{"n":"/3/0/9"},{"n":"/3/0/9"}]', "4.00"],
    ["nothing", "/", ETCH_JSON, JSON_, "[]", "4.00"],
    ["a record without a name", "/", ETCH_JSON, JSON_, '[{"n":"/3/0/9"},{}]', "4.00"],
    ["garbage", "/", ETCH_JSON, JSON_, "{", "4.00"],
    ["the Security object", "/", ETCH_JSON, JSON_, '[{"n":"/3/0/9"},{"n":"/0/0/0"}]', "4.01"],
  ])("refuses %s", async (_, target, contentFormat, accept, payload, code) => {
    const formats = {
      ...(contentFormat === undefined ? {} : { contentFormat }),
      ...(accept === undefined ? {} : { accept }),
    };
    expect(await bench.server.text("FETCH", target, { payload, ...formats })).toBe(code);
  });
});

describe("Write-Composite", () => {
  it("int-230: settings of several objects", async () => {
    const payload =
      '[{"n":"/1/0/1","v":600},{"n":"/1/0/6","vb":false},{"bn":"/16/0/0/","n":"0","vs":"a"},{"n":"1","vs":"b"},' +
      '{"n":"7","vs":"c"}]';
    for (const contentFormat of [JSON_, ETCH_JSON]) expect(await patch(payload, contentFormat)).toBe("2.04");
    expect([value("/1/0/1"), value("/1/0/6")]).toEqual([600, false]);
    // What is not named stays.
    expect([0, 1, 2, 3, 7].map((id) => value(`/16/0/0/${id}`))).toEqual(["a", "b", "Class", "SW", "c"]);
  });

  it("int-257: in CBOR", async () => {
    const lwm2mCbor = fromHex("a2 820100 a2 02 1864 06 f5 83 03 00 0d 1a 5182428f");
    expect(await patch(lwm2mCbor, LWM2M_CBOR)).toBe("2.04");
    expect([value("/1/0/2"), value("/1/0/6")]).toEqual([100, true]);
    const writer = new CborWriter().array(2);
    writer.map(2).integer(0).text("/1/0/2").integer(2).integer(101);
    writer.map(2).integer(0).text("/16/0/0/1").integer(2).null();
    expect(await patch(writer.finish(), ETCH_CBOR)).toBe("2.04");
    expect([value("/1/0/2"), value("/16/0/0/1")]).toEqual([101, undefined]);
  });

  it("takes resource instances away with null", async () => {
    expect(await patch('[{"n":"/16/0/0/1","v":null},{"n":"/16/0/0/2","vs":"C"},{"n":"/16/0/0/9","v":null}]')).toBe(
      "2.04",
    );
    expect([0, 1, 2, 3].map((id) => value(`/16/0/0/${id}`))).toEqual(["Host", undefined, "C", "SW"]);
    expect(await patch(fromHex("a183100000a2 00f6 02f6"), LWM2M_CBOR)).toBe("2.04");
    expect([0, 2, 3].map((id) => value(`/16/0/0/${id}`))).toEqual([undefined, undefined, "SW"]);
  });

  it("reaches several devices", async () => {
    expect(await patch('[{"n":"/3306/0/5850","vb":true},{"n":"/3306/2/5850","vb":true},{"n":"/1/0/2","v":9}]')).toBe(
      "2.04",
    );
    expect(relays.map(({ written }) => written)).toEqual([[true], [], [true]]);
    expect(value("/1/0/2")).toBe(9);
  });

  it("gives back what devices took before one refused, and stores nothing", async () => {
    await patch('[{"n":"/3306/1/5850","vb":true}]');
    relays[2] = Object.assign(relays[2] ?? new Relay(), { answers: "refuses" });
    const payload =
      '[{"n":"/1/0/2","v":9},{"n":"/3306/0/5850","vb":true},{"n":"/3306/1/5850","vb":false},{"n":"/3306/2/5850","vb":true}]';
    expect(await patch(payload)).toBe("5.00");
    expect(relays.map(({ written }) => written)).toEqual([[true, false], [true, false, true], []]);
    expect([0, 1, 2].map((id) => value(`/3306/${id}/5850`))).toEqual([false, true, false]);
    expect(value("/1/0/2")).toBeUndefined();
  });

  it("says which device could not take its old value back", async () => {
    const [first = new Relay(), , third = new Relay()] = relays;
    first.patience = 1;
    third.answers = "refuses";
    const answer = await bench.server.ask("iPATCH", "/", {
      contentFormat: JSON_,
      payload: '[{"n":"/3306/0/5850","vb":true},{"n":"/3306/2/5850","vb":true}]',
    });
    expect(utf8Decode(answer?.payload ?? fromHex(""))).toBe(
      "relay 2 does not answer; /3306/0/5850 was written already",
    );
  });

  it.each<[string, string, string]>([
    ["an unknown object", '[{"n":"/4711/0/0","v":1}]', "4.04"],
    ["an unknown instance", '[{"n":"/16/7/0/0","vs":"x"}]', "4.04"],
    ["an unknown resource", '[{"n":"/3/0/99","v":1}]', "4.04"],
    ["an optional resource that is not here", '[{"n":"/3306/0/5750","vs":"x"}]', "4.04"],
    ["a device behind the gateway that is not there", '[{"n":"/d01/3306/0/5850","vb":true}]', "4.04"],
    ["a read-only resource (int-256)", '[{"n":"/1/0/0","v":7}]', "4.05"],
    ["an executable resource", '[{"n":"/3/0/4","v":7}]', "4.05"],
    ["a wrong type", '[{"n":"/3306/1/5850","v":1}]', "4.00"],
    ["a value out of range", '[{"n":"/1/0/1","v":-1}]', "4.00"],
    ["a link to nothing", '[{"n":"/3442/0/170","vlo":"4711:0"}]', "4.00"],
    ["an instance", '[{"n":"/3/0","v":1}]', "4.00"],
    ["a multiple resource as one", '[{"n":"/16/0/0","vs":"x"}]', "4.00"],
    ["an instance of a single resource", '[{"n":"/1/0/2/0","v":1}]', "4.00"],
    ["a null for a single resource", '[{"n":"/1/0/3","v":null}]', "4.00"],
    ["no value", '[{"n":"/1/0/3"}]', "4.00"],
    ["a path twice", '[{"n":"/1/0/3","v":1},{"n":"/1/0/3","v":2}]', "4.00"],
    ["a path at two times", '[{"n":"/1/0/3","v":1,"t":1},{"n":"/1/0/3","v":2,"t":2}]', "4.00"],
    ["the Security object", '[{"n":"/0/0/0","vs":"x"}]', "4.01"],
  ])("refuses %s, and the rest with it", async (_, payload, code) => {
    const good = '{"n":"/1/0/2","v":33},{"n":"/3306/0/5850","vb":true},';
    expect(await patch(`[${good}${payload.slice(1)}`)).toBe(code);
    expect(value("/1/0/2")).toBeUndefined();
    expect(relays.flatMap(({ written }) => written)).toEqual([]);
  });

  it.each<[string, string, number | undefined, string, string]>([
    ["a path", "/1/0", JSON_, '[{"n":"/1/0/2","v":1}]', "4.05"],
    ["a query", "/?pmin=1", JSON_, '[{"n":"/1/0/2","v":1}]', "4.02"],
    ["TLV", "/", 11542, "", "4.15"],
    ["no Content-Format", "/", undefined, '[{"n":"/1/0/2","v":1}]', "4.15"],
    ["a null in plain SenML", "/", JSON_, '[{"n":"/16/0/0/1","v":null}]', "4.00"],
    ["nothing", "/", JSON_, "[]", "4.00"],
    ["garbage", "/", LWM2M_CBOR, "x", "4.00"],
  ])("refuses %s", async (_, target, contentFormat, payload, code) => {
    const format = contentFormat === undefined ? {} : { contentFormat };
    expect(await bench.server.text("iPATCH", target, { payload, ...format })).toBe(code);
  });

  it("has no PATCH", async () => {
    expect(await bench.server.text("PATCH", "/", { contentFormat: JSON_, payload: "[]" })).toBe("4.05");
  });
});

function namesInCbor(...names: readonly string[]): Uint8Array {
  const writer = new CborWriter().array(names.length);
  for (const name of names) writer.map(1).integer(0).text(name);
  return writer.finish();
}
