import { beforeEach, describe, expect, it } from "vitest";
import { fromHex, NO_BYTES, toHex, utf8Decode } from "../../../src/base/bytes.js";
import { CausewayError } from "../../../src/base/errors.js";
import type { WrittenValue } from "../../../src/lwm2m/tree.js";
import { type Bench, model, startBench } from "../../fakes/lwm2m-client.js";

const TEXT = 0;
const LINK = 40;
const OPAQUE = 42;
const CBOR = 60;
const JSON_ = 110;
const SENML_CBOR = 112;
const TLV = 11542;
const LWM2M_JSON = 11543;
const LWM2M_CBOR = 11544;

let bench: Bench;
let relay: { written: WrittenValue[]; refuse: boolean };

beforeEach(async () => {
  relay = { written: [], refuse: false };
  bench = await startBench({
    prepare(tree) {
      const atMs = Date.UTC(2026, 0, 1);
      for (const [resourceId, values] of [
        [6, [1, 5]],
        [7, [3800, 5000]],
        [8, [125, 900]],
      ] as const) {
        for (const [id, value] of values.entries()) tree.set([3, 0, resourceId, id], { value, atMs });
      }
      tree.set([3, 0, 9], { value: 95, atMs });
      tree.addObject(model(16), { by: "servers", create: () => new Map(), removed: () => undefined });
      tree.addInstance(model(16), 0);
      for (const [id, value] of ["Host", "HW", "Class", "SW"].entries()) tree.set([16, 0, 0, id], { value, atMs });
      tree.addInstance(model(3303), 0);
      tree.set([3303, 0, 5700], { value: 21.5, atMs });
      tree.set([3303, 0, 5701], { value: "Cel", atMs });
      tree.declare(3303, 0, 5601);
      tree.addInstance(
        model(3306),
        0,
        new Map([
          [
            5850,
            {
              async write(value: WrittenValue) {
                if (relay.refuse) throw new CausewayError("FIELD_TIMEOUT", "the relay does not answer");
                relay.written.push(value);
              },
            },
          ],
        ]),
      );
      tree.set([3306, 0, 5850], { value: false, atMs });
      tree.addObject(model(5));
      tree.addObject(model(3442), undefined, "model");
      tree.addInstance(model(3442), 0);
    },
  });
});

const get = (path: string, accept?: number) => bench.server.text("GET", path, accept === undefined ? {} : { accept });
const put = (path: string, contentFormat: number, payload: string | Uint8Array) =>
  bench.server.text("PUT", path, { contentFormat, payload });
const post = (path: string, contentFormat: number, payload: string | Uint8Array) =>
  bench.server.text("POST", path, { contentFormat, payload });
const value = (path: string): unknown => {
  const [objectId = -1, instanceId = -1, resourceId = -1, id = 0] = path.split("/").slice(1).map(Number);
  return bench.tree.resource(objectId, instanceId, resourceId)?.samples.get(id)?.value;
};

describe("Read", () => {
  it("int-201: single resources as plain text", async () => {
    expect(await get("/3/0/0", TEXT)).toBe("2.05 Causeway");
    expect(await get("/3/0/1", TEXT)).toBe("2.05 gateway");
  });

  it("int-203: TLV of an instance and of a resource", async () => {
    expect(await get("/3303/0", TLV)).toBe("2.05 e4164441ac0000e3164543656c");
    expect(await get("/3/0/6", TLV)).toBe("2.05 8606410001410105");
  });

  it("int-204: the JSON of LwM2M 1.0, when asked for", async () => {
    const response = await bench.server.ask("GET", "/3303/0", { accept: LWM2M_JSON });
    expect(response?.contentFormat).toBe(LWM2M_JSON);
    expect(utf8Decode(response?.payload ?? NO_BYTES)).toBe(
      '{"bn":"/3303/0/","e":[{"n":"5700","v":21.5},{"n":"5701","sv":"Cel"}]}',
    );
  });

  it("LwM2M CBOR of a resource and of an instance", async () => {
    expect(await get("/3/0/6", LWM2M_CBOR)).toBe("2.05 a183030006a200010105");
    expect(await get("/3303/0", LWM2M_CBOR)).toBe("2.05 a182190ce700a2191644f94d601916456343656c");
  });

  it("int-222 to 225: object, instance, resource, resource instance", async () => {
    expect(await get("/3303", JSON_)).toBe('2.05 [{"bn":"/3303/0/","n":"5700","v":21.5},{"n":"5701","vs":"Cel"}]');
    expect(await get("/3303/0", JSON_)).toBe('2.05 [{"bn":"/3303/0/","n":"5700","v":21.5},{"n":"5701","vs":"Cel"}]');
    expect(await get("/3/0/6", JSON_)).toBe('2.05 [{"bn":"/3/0/6/","n":"0","v":1},{"n":"1","v":5}]');
    expect(await get("/3/0/11/0", TEXT)).toBe("2.05 0");
  });

  it("int-231, 232: SenML at all levels", async () => {
    for (const path of ["/3", "/3/0", "/3/0/9", "/3/0/6/1"]) {
      expect(await get(path, JSON_)).toMatch(/^2\.05 \[\{"/);
      expect(await get(path, SENML_CBOR)).toMatch(/^2\.05 [89]/);
    }
    expect(await get("/3/0/9", JSON_)).toBe('2.05 [{"bn":"/3/0/9","v":95}]');
  });

  it("int-211: CBOR of one value", async () => {
    expect(await get("/1/0/0", CBOR)).toBe("2.05 01");
    expect(await get("/1/0/6", CBOR)).toBe("2.05 f5");
    expect(await get("/1/0/7", CBOR)).toBe("2.05 6155");
  });

  it("int-237: without Accept, text for one value and SenML CBOR for more", async () => {
    const one = await bench.server.ask("GET", "/3/0/9");
    const more = await bench.server.ask("GET", "/3/0");
    expect([one?.contentFormat, more?.contentFormat]).toEqual([TEXT, SENML_CBOR]);
  });

  it("answers a plain read at once, without a promise", () => {
    expect(bench.server.askNow("GET", "/3/0/9")).not.toBeInstanceOf(Promise);
  });

  it("gives an empty list of an object without instances", async () => {
    expect(await get("/5", JSON_)).toBe("2.05 []");
  });

  it("leaves out what cannot be read or has no value", async () => {
    const links = await get("/3/0", JSON_);
    expect(links).not.toContain('"n":"4"');
    expect(await get("/3303/0", JSON_)).not.toContain("5601");
  });

  it.each([
    ["/4711", undefined, "4.04"],
    ["/3/1", undefined, "4.04"],
    ["/3/0/99", undefined, "4.04"],
    ["/3/0/6/9", undefined, "4.04"],
    ["/3303/0/5601", undefined, "4.04"],
    ["/3/0/9/0", undefined, "4.00"],
    ["/3/0/4", undefined, "4.05"],
    ["/", undefined, "4.05"],
    ["/3/0/6/0/0", undefined, "4.05"],
    ["/3/x", undefined, "4.05"],
    ["/3/00", undefined, "4.05"],
    ["/70000", undefined, "4.05"],
    ["/d01/3/0", undefined, "4.04"],
    ["/3/0", TEXT, "4.06"],
    ["/3/0/6", CBOR, "4.06"],
    ["/3/0/0", OPAQUE, "4.06"],
    ["/3/0/0", 322, "4.06"],
    ["/3/0/0?pmin=1", undefined, "4.02"],
  ])("GET %s, Accept %s → %s", async (path, accept, code) => expect(await get(path, accept)).toBe(code));

  it("int-221: the Security object is for nobody", async () => {
    expect(await get("/0")).toBe("4.01");
    expect(await get("/0", LINK)).toBe("4.01");
    expect(await put("/0/0/0", TEXT, "coap://x")).toBe("4.01");
    expect(await bench.server.text("PUT", "/0?pmin=1")).toBe("4.01");
    expect(await bench.server.text("DELETE", "/0/0")).toBe("4.01");
    expect(await get("/21/0")).toBe("4.01");
    expect(await get("/23/0")).toBe("4.01");
  });
});

describe("Write", () => {
  it("int-205: text, read back", async () => {
    for (const [resource, text] of [
      ["2", "101"],
      ["3", "1010"],
      ["5", "2000"],
    ] as const) {
      expect(await put(`/1/0/${resource}`, TEXT, text)).toBe("2.04");
      expect(await get(`/1/0/${resource}`, TEXT)).toBe(`2.05 ${text}`);
    }
  });

  it("int-215: partial update, then replace, in TLV", async () => {
    expect(await put("/1/0/3", TEXT, "77")).toBe("2.04");
    expect(await post("/1/0", TLV, fromHex("C10265 C20303F2 C20507D0 C10601 C10755"))).toBe("2.04");
    expect([2, 3, 5, 6, 7].map((id) => value(`/1/0/${id}`))).toEqual([101, 1010, 2000, true, "U"]);
    expect(value("/1/0/1")).toBe(300);
    expect(await put("/1/0", TLV, fromHex("C1013C C10266 C10600 C10755"))).toBe("2.04");
    expect([1, 2, 6, 7].map((id) => value(`/1/0/${id}`))).toEqual([60, 102, false, "U"]);
    // What the replacement does not name is gone, and may come back.
    expect(await get("/1/0/3")).toBe("4.04");
    expect(await put("/1/0/3", TEXT, "9")).toBe("2.04");
    expect(await get("/1/0/8")).toBe("4.05");
  });

  it("int-226, 227: lifetime and storing", async () => {
    expect(await post("/1/0", JSON_, '[{"bn":"/1/0/","n":"1","v":100},{"n":"6","vb":false}]')).toBe("2.04");
    expect([value("/1/0/1"), value("/1/0/6")]).toEqual([100, false]);
    expect(await put("/1/0/1", TEXT, "63")).toBe("2.04");
    expect(value("/1/0/1")).toBe(63);
  });

  it("int-228: a resource instance", async () => {
    expect(await post("/16/0/0/1", TEXT, "new")).toBe("2.04");
    expect(await put("/16/0/0/2", TEXT, "newer")).toBe("2.04");
    expect([0, 1, 2, 3].map((id) => value(`/16/0/0/${id}`))).toEqual(["Host", "new", "newer", "SW"]);
    expect(await put("/16/0/0/9", TEXT, "x")).toBe("4.04");
  });

  it("int-233, 234: SenML CBOR and JSON", async () => {
    expect(await put("/1/0/2", SENML_CBOR, fromHex("81 a2 00 66 2f312f302f32 02 05"))).toBe("2.04");
    expect(value("/1/0/2")).toBe(5);
    expect(await put("/1/0/2", JSON_, '[{"n":"/1/0/2","v":6}]')).toBe("2.04");
    expect(value("/1/0/2")).toBe(6);
  });

  it("int-220: the JSON of LwM2M 1.0", async () => {
    const payload = '{"bn":"/1/0/","e":[{"n":"1","v":3600},{"n":"6","bv":true},{"n":"7","sv":"U"}]}';
    expect(await put("/1/0", LWM2M_JSON, payload)).toBe("2.04");
    expect([1, 6, 7].map((id) => value(`/1/0/${id}`))).toEqual([3600, true, "U"]);
  });

  it("LwM2M CBOR: an instance, a resource, a null for a resource instance", async () => {
    expect(await post("/1/0", LWM2M_CBOR, fromHex("a1820100a2021903e806f5"))).toBe("2.04");
    expect([2, 6].map((id) => value(`/1/0/${id}`))).toEqual([1000, true]);
    expect(await post("/16/0/0", LWM2M_CBOR, fromHex("a183100000a200f6016159"))).toBe("2.04");
    expect([0, 1, 2].map((id) => value(`/16/0/0/${id}`))).toEqual([undefined, "Y", "Class"]);
    expect(await put("/1/0", LWM2M_CBOR, fromHex("a10219 03e8".replace(" ", "")))).toBe("4.00");
  });

  it("int-212: CBOR", async () => {
    expect(await put("/1/0/6", CBOR, fromHex("f4"))).toBe("2.04");
    expect(value("/1/0/6")).toBe(false);
  });

  it("int-256: a read-only resource stays", async () => {
    expect(await put("/1/0/0", TEXT, "7")).toBe("4.05");
    expect(value("/1/0/0")).toBe(1);
  });

  it("int-651, 652: Device in TLV", async () => {
    expect(await post("/3/0", TLV, fromHex("C40D 5182428F C60E 2B30323A3030 C80F 0D 4575726F70652F4265726C696E"))).toBe(
      "2.04",
    );
    expect(await get("/3/0/13", TEXT)).toBe("2.05 1367491215");
    expect(await get("/3/0/14", TEXT)).toBe("2.05 +02:00");
    expect(await get("/3/0/15", TEXT)).toBe("2.05 Europe/Berlin");
    expect(await get("/3/0/3", TEXT)).toBe("2.05 1.0.0");
  });

  it("replaces or extends the values of a multiple resource (Core 1.2 §6.3.3)", async () => {
    const both = (payload: string) => `[{"bn":"/16/0/0/",${payload.slice(2)}`;
    const payload = both('[{"n":"1","vs":"Yellow"},{"n":"5","vs":"Blue"}]');
    expect(await post("/16/0/0", JSON_, payload)).toBe("2.04");
    expect([0, 1, 2, 3, 5].map((id) => value(`/16/0/0/${id}`))).toEqual(["Host", "Yellow", "Class", "SW", "Blue"]);
    expect(await put("/16/0/0", JSON_, payload)).toBe("2.04");
    expect([0, 1, 2, 3, 5].map((id) => value(`/16/0/0/${id}`))).toEqual([
      undefined,
      "Yellow",
      undefined,
      undefined,
      "Blue",
    ]);
    expect(await put("/16/0/0", TLV, fromHex("8000"))).toBe("2.04");
    expect(await get("/16/0/0", JSON_)).toBe("2.05 []");
  });

  it("hands a value to the device and leaves the tree to what the device says", async () => {
    expect(await put("/3306/0/5850", TEXT, "1")).toBe("2.04");
    expect(relay.written).toEqual([true]);
    expect(value("/3306/0/5850")).toBe(false);
  });

  it("answers with the device's refusal and stores nothing of the request", async () => {
    relay.refuse = true;
    bench.tree.declare(3306, 0, 5750);
    expect(await post("/3306/0", JSON_, '[{"bn":"/3306/0/","n":"5750","vs":"lamp"},{"n":"5850","vb":true}]')).toBe(
      "5.00",
    );
    expect(value("/3306/0/5750")).toBeUndefined();
  });

  it("takes every type (test object 3442)", async () => {
    for (const [resource, text] of [
      ["110", "text"],
      ["120", "-9223372036854775808"],
      ["125", "18446744073709551615"],
      ["130", "3.25"],
      ["140", "1"],
      ["150", "AQID"],
      ["160", "1367491215"],
      ["170", "3:0"],
      ["180", "</3/0>"],
    ] as const) {
      expect(await put(`/3442/0/${resource}`, TEXT, text)).toBe("2.04");
      expect(await get(`/3442/0/${resource}`, TEXT)).toBe(`2.05 ${text}`);
    }
    expect(await put("/3442/0/150", OPAQUE, new Uint8Array([9]))).toBe("2.04");
    expect(await get("/3442/0/150", OPAQUE)).toBe("2.05 09");
  });

  it.each<[string, string, string, number | undefined, string, string]>([
    ["an object", "PUT", "/3303", JSON_, '[{"n":"/3303/0/5700","v":1}]', "4.05"],
    [
      "a read-only resource in an instance",
      "POST",
      "/1/0",
      JSON_,
      '[{"bn":"/1/0/","n":"2","v":1},{"n":"0","v":1}]',
      "4.05",
    ],
    ["an executable resource", "PUT", "/3/0/4", TEXT, "1", "4.05"],
    ["an unknown resource", "PUT", "/3303/0/9999", TEXT, "1", "4.04"],
    ["an optional resource that is not here", "PUT", "/3306/0/5750", TEXT, "x", "4.04"],
    ["an unknown instance", "PUT", "/3303/7/5700", TEXT, "1", "4.04"],
    ["a wrong type", "PUT", "/1/0/1", TEXT, "long", "4.00"],
    ["an empty string", "PUT", "/3/0/15", TEXT, "", "2.04"],
    ["a value out of range", "PUT", "/1/0/1", TEXT, "-1", "4.00"],
    ["a value out of the enumeration", "PUT", "/1/0/26", TEXT, "2", "4.00"],
    ["a link to nothing", "PUT", "/3442/0/170", TEXT, "4711:0", "4.00"],
    ["a link to an instance that is not", "PUT", "/3442/0/170", TEXT, "3:7", "4.00"],
    ["the null link", "PUT", "/3442/0/170", TEXT, "65535:65535", "2.04"],
    ["outside of the path", "POST", "/1/0", JSON_, '[{"n":"/3/0/15","vs":"x"}]', "4.00"],
    ["a replacement without what is mandatory", "PUT", "/1/0", JSON_, '[{"n":"/1/0/1","v":9}]', "4.00"],
    [
      "an unknown optional resource among others",
      "POST",
      "/1/0",
      JSON_,
      '[{"bn":"/1/0/","n":"2","v":8},{"n":"999","v":1}]',
      "2.04",
    ],
    ["an unknown format", "PUT", "/1/0/1", 41, "<a/>", "4.15"],
    ["links", "PUT", "/1/0/1", LINK, "</3>", "4.15"],
    ["text for an instance", "PUT", "/1/0", TEXT, "1", "4.15"],
    ["text for a multiple resource", "PUT", "/16/0/0", TEXT, "1", "4.15"],
    ["text without Content-Format", "PUT", "/1/0/2", undefined, "12", "2.04"],
    ["an instance without Content-Format", "PUT", "/1/0", undefined, "12", "4.15"],
    ["garbage", "PUT", "/1/0", TLV, "\u0001garbage", "4.00"],
    ["with a query", "PUT", "/1/0/2?x=1", TEXT, "12", "4.02"],
    ["nothing at all", "PUT", "/1/0/2", undefined, "", "4.00"],
    ["a null", "POST", "/1/0", 320, '[{"n":"/1/0/2","v":null}]', "4.15"],
  ])("%s: %s %s (%s) %s → %s", async (_what, method, path, contentFormat, payload, code) => {
    const ask = contentFormat === undefined ? { payload } : { contentFormat, payload };
    expect(await bench.server.text(method === "PUT" ? "PUT" : "POST", path, ask)).toBe(code);
  });

  it("refuses text that is not UTF-8, and bytes that are no arguments", async () => {
    expect(await put("/3/0/15", TEXT, fromHex("c3 28"))).toBe("4.00");
    expect(await post("/3/0/4", TEXT, fromHex("c3 28"))).toBe("4.00");
  });

  it("applies nothing of a write that is refused", async () => {
    await post("/1/0", JSON_, '[{"bn":"/1/0/","n":"2","v":33},{"n":"1","v":-5}]');
    expect(value("/1/0/2")).toBeUndefined();
    expect(value("/1/0/1")).toBe(300);
  });
});

describe("Execute", () => {
  it("Reboot", async () => {
    expect(await bench.server.text("POST", "/3/0/4")).toBe("2.04");
    expect(bench.reboots()).toBe(1);
  });

  it("Reset Error Code", async () => {
    bench.device.setErrors([1, 3]);
    expect(await get("/3/0/11", JSON_)).toBe('2.05 [{"bn":"/3/0/11/","n":"0","v":1},{"n":"1","v":3}]');
    expect(await bench.server.text("POST", "/3/0/12")).toBe("2.04");
    expect(await get("/3/0/11", JSON_)).toBe('2.05 [{"bn":"/3/0/11/0","v":0}]');
  });

  it.each([
    ["/3/0/4", "", undefined, "2.04"],
    ["/3/0/4", "0", undefined, "2.04"],
    ["/3/0/4", "2='10.3'", TEXT, "2.04"],
    ["/3/0/4", "7,0='https://www.oma.org'", TEXT, "2.04"],
    ["/3/0/4", "0='',1=''", TEXT, "2.04"],
    ["/3/0/4", "0='a',0='b'", TEXT, "4.00"],
    ["/3/0/4", "10", TEXT, "4.00"],
    ["/3/0/4", "0,", TEXT, "4.00"],
    ["/3/0/4", "0=a", TEXT, "4.00"],
    ["/3/0/4", "0='a b'", TEXT, "4.00"],
    ["/3/0/4", "0='a', 1='b'", TEXT, "4.00"],
    ["/3/0/4", "0='it\\'s'", TEXT, "4.00"],
    ["/3/0/4", "0='\"'", TEXT, "4.00"],
    ["/3/0/4", "0='grün'", TEXT, "4.00"],
    ["/3/0/4", "0,1,2='x',3", TEXT, "2.04"],
    ["/3/0/4", "1,1", TEXT, "4.00"],
    ["/3/0", "0", TEXT, "4.15"],
    ["/3/0/11/0", "0", TEXT, "4.05"],
    ["/3/0/4", "x", TLV, "4.15"],
    ["/3/0/9", "", undefined, "4.05"],
    ["/1/0/1", "", undefined, "4.05"],
    ["/3/0/99", "", undefined, "4.04"],
    ["/0/0/0", "", undefined, "4.01"],
  ])("POST %s '%s' (%s) → %s", async (path, payload, contentFormat, code) => {
    const ask = contentFormat === undefined ? { payload } : { payload, contentFormat };
    expect(await bench.server.text("POST", path, ask)).toBe(code);
  });
});

describe("Create and Delete", () => {
  it("chooses the instance id, or takes the server's", async () => {
    // Resource instance 0 = "a" of resource 0, without and with an Object Instance TLV.
    expect(await post("/16", TLV, fromHex("83 00 41 00 61"))).toBe("2.01 /16/1");
    expect(value("/16/1/0/0")).toBe("a");
    expect(await post("/16", TLV, fromHex("05 07 83 00 41 00 62"))).toBe("2.01 /16/7");
    expect(value("/16/7/0/0")).toBe("b");
    expect(await post("/16", JSON_, '[{"n":"/16/3/0/0","vs":"c"}]')).toBe("2.01 /16/3");
  });

  it("creates from LwM2M CBOR, 65535 for an id of the client's choice", async () => {
    expect(await post("/16", LWM2M_CBOR, fromHex("a1821019ffffa100a1006161"))).toBe("2.01 /16/1");
    expect(await post("/16", LWM2M_CBOR, fromHex("a182100aa100a1006162"))).toBe("2.01 /16/10");
    expect(value("/16/10/0/0")).toBe("b");
  });

  it("creates several, or none", async () => {
    expect(await post("/16", JSON_, '[{"n":"/16/3/0/0","vs":"c"},{"n":"/16/4/0/0","vs":"d"}]')).toBe("2.01");
    expect(value("/16/4/0/0")).toBe("d");
    expect(await post("/16", JSON_, '[{"n":"/16/5/0/0","vs":"c"},{"n":"/16/4/0/0","vs":"d"}]')).toBe("4.00");
    expect(bench.tree.instance(16, 5)).toBeUndefined();
  });

  it("int-1635: deletes instances, the object stays", async () => {
    expect(await bench.server.text("DELETE", "/16/0")).toBe("2.02");
    expect(await get("/16", LINK)).toBe("2.05 </16>");
  });

  it("deletes a value of a multiple setting", async () => {
    expect(await bench.server.text("DELETE", "/16/0/0/2")).toBe("2.02");
    expect(await get("/16/0/0/2")).toBe("4.04");
  });

  it.each<[string, "POST" | "DELETE", string, string | Uint8Array | undefined, string]>([
    ["int-680: Create on Device", "POST", "/3", '[{"n":"/3/1/0","vs":"x"}]', "4.05"],
    ["int-685: Delete of Device", "DELETE", "/3/0", undefined, "4.05"],
    ["Create of what exists", "POST", "/16", '[{"n":"/16/0/0/0","vs":"x"}]', "4.00"],
    ["Create without what is mandatory", "POST", "/16", '[{"n":"/16/9/3","v":1}]', "4.00"],
    ["Create on an unknown object", "POST", "/4711", '[{"n":"/4711/0/0","v":1}]', "4.04"],
    ["Create on Security", "POST", "/0", '[{"n":"/0/5/0","vs":"x"}]', "4.01"],
    ["Create of a sensor", "POST", "/3303", '[{"n":"/3303/9/5700","v":1}]', "4.05"],
    ["Delete of an unknown instance", "DELETE", "/16/9", undefined, "4.04"],
    ["Delete of an object", "DELETE", "/16", undefined, "4.05"],
    ["Delete of a resource", "DELETE", "/16/0/0", undefined, "4.05"],
    ["Delete of a sensor", "DELETE", "/3303/0", undefined, "4.05"],
    ["Delete of a measured value", "DELETE", "/3/0/6/0", undefined, "4.05"],
    ["Delete of the root", "DELETE", "/", undefined, "4.05"],
  ])("%s → refused", async (_what, method, path, payload, code) => {
    const ask = payload === undefined ? {} : { payload, contentFormat: JSON_ };
    expect(await bench.server.text(method, path, ask)).toBe(code);
  });
});

describe("Discover and Write-Attributes", () => {
  const attach = (target: string) => bench.server.text("PUT", target);

  it("int-260: dims, attributes, inheritance", async () => {
    expect(await get("/3", LINK)).toMatch(
      /^2\.05 <\/3>,<\/3\/0>,.*<\/3\/0\/6>;dim=2,<\/3\/0\/7>;dim=2,<\/3\/0\/8>;dim=2,/,
    );
    expect(await attach("/3/0?pmin=10&pmax=60")).toBe("2.04");
    expect(await attach("/3/0/7?gt=50&lt=42.2")).toBe("2.04");
    expect(await get("/3/0/7", LINK)).toBe("2.05 </3/0/7>;dim=2;pmin=10;pmax=60;gt=50;lt=42.2,</3/0/7/0>,</3/0/7/1>");
  });

  it("int-261: on every level, with epmin and epmax", async () => {
    expect(await attach("/3?pmin=5")).toBe("2.04");
    expect(await attach("/3/0/11?epmin=5&epmax=10")).toBe("2.04");
    expect(await attach("/3/0/11/0?gt=3")).toBe("2.04");
    expect(await get("/3/0/11", LINK)).toBe("2.05 </3/0/11>;dim=1;pmin=5;epmin=5;epmax=10,</3/0/11/0>;gt=3");
    expect(await attach("/3/0/11?epmin")).toBe("2.04");
    expect(await get("/3/0/11", LINK)).toBe("2.05 </3/0/11>;dim=1;pmin=5;epmax=10,</3/0/11/0>;gt=3");
  });

  it("int-264: depth in 1.2", async () => {
    expect(await get("/3303?depth=0", LINK)).toBe("2.05 </3303>;ver=1.1");
    expect(await get("/3303?depth=1", LINK)).toBe("2.05 </3303>;ver=1.1,</3303/0>");
    expect(await get("/3303?depth=1&depth=2", LINK)).toBe("4.00");
    expect(await get("/3303?depth=4", LINK)).toBe("4.00");
    expect(await get("/3303?foo", LINK)).toBe("4.00");
  });

  it("int-266: depth 2 and 3 show resources, then resource instances", async () => {
    await attach("/16/0?pmin=7");
    await attach("/16/0/0/2?pmax=9");
    expect(await get("/16?depth=2", LINK)).toBe("2.05 </16>,</16/0>;pmin=7,</16/0/0>;dim=4");
    expect(await get("/16?depth=3", LINK)).toBe(
      "2.05 </16>,</16/0>;pmin=7,</16/0/0>;dim=4,</16/0/0/0>,</16/0/0/1>,</16/0/0/2>;pmax=9,</16/0/0/3>",
    );
    expect(await get("/16/0?depth=3", LINK)).toMatch(/^2\.05 <\/16\/0>;pmin=7,<\/16\/0\/0>;dim=4,<\/16\/0\/0\/0>/);
  });

  it("has no depth before 1.2", async () => {
    const old = await startBench({
      prepare: (_tree, server) => {
        server.versions = ["1.1"];
      },
    });
    expect(await old.server.text("GET", "/3/0?depth=0", { accept: LINK })).toContain("</3/0/0>");
  });

  it.each([
    ["/3/0/9?gt=5&lt=10", "4.00"],
    ["/3/0/9?foo=1", "4.00"],
    ["/3/0?gt=5", "4.00"],
    ["/3/0/0?st=5", "4.00"],
    ["/3/0/9?pmin=60&pmax=10", "2.04"],
    ["/3/0/99?pmin=1", "4.04"],
    ["/4711?pmin=1", "4.04"],
    ["/?pmin=1", "4.05"],
  ])("PUT %s → %s", async (target, code) => expect(await attach(target)).toBe(code));

  it("forgets the attributes of what is deleted", async () => {
    await attach("/16/0?pmin=7");
    await bench.server.ask("DELETE", "/16/0");
    await post("/16", JSON_, '[{"n":"/16/0/0/0","vs":"x"}]');
    expect(await get("/16/0", LINK)).toBe("2.05 </16/0>,</16/0/0>;dim=1");
  });
});

describe("Dispatcher", () => {
  it("answers whatever comes (seeded)", async () => {
    const seed = 20260101;
    let state = seed;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const pick = <T>(from: readonly T[]): T | undefined => from[random(from.length)];
    const ids = ["0", "1", "3", "16", "3303", "5700", "65535", "-1", "x", "", "00"];
    for (let round = 0; round < 2000; round++) {
      const target = `/${Array.from({ length: random(5) }, () => pick(ids)).join("/")}`;
      const query = pick(["", "?pmin=1", "?depth=1", "?gt", "?=", "?a=b&a=b"]) ?? "";
      const payload = Uint8Array.from({ length: random(12) }, () => random(256));
      const method = pick(["GET", "PUT", "POST", "DELETE", "FETCH", "iPATCH"] as const) ?? "GET";
      const formats = [
        {},
        { contentFormat: pick([0, 40, 42, 60, 110, 112, 320, 322, 11542, 11543, 11544, 9]) ?? 0 },
        { accept: 110 },
      ];
      const ask = { payload, ...pick(formats), ...pick([{}, { observe: 0 }, { observe: 1 }]) };
      const response = await bench.server.ask(method, target + query, ask);
      // A defect would be 5.00; nothing here has a device that could refuse.
      const what = `seed ${seed}, round ${round}: ${method} ${target}${query} ${toHex(payload)}`;
      expect(response?.code, what).toBeLessThan(0xa0);
    }
  });
});
