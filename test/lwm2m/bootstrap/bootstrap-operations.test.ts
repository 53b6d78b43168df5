import { describe, expect, it } from "vitest";
import { fromHex, utf8Encode } from "../../../src/base/bytes.js";
import { CausewayError } from "../../../src/base/errors.js";
import { Code } from "../../../src/coap/code.js";
import type { Method } from "../../../src/coap/request.js";
import { BootstrapDraft } from "../../../src/lwm2m/bootstrap/bootstrap-draft.js";
import { bootstrapAnswer, unpack } from "../../../src/lwm2m/bootstrap/bootstrap-operations.js";
import type { ObjectTree } from "../../../src/lwm2m/tree.js";
import { bootstrapTree, contentOf } from "../../fakes/bootstrap-tree.js";
import { model } from "../../fakes/lwm2m-client.js";
import { type Ask, formatResponse, incoming } from "../../fakes/lwm2m-server.js";

const LINKS = 40;
const TEXT = 0;
const JSON_FORMAT = 110;
const TLV = 11542;
const never = new AbortController().signal;

/** The answer as text; that of an error with its message. */
function ask(tree: ObjectTree, method: Method, target: string, options: Ask = {}): string {
  try {
    return formatResponse(bootstrapAnswer(tree, incoming(method, target, options, "t"), 1000));
  } catch (error) {
    if (error instanceof CausewayError) return `${error.coapCode} ${error.message}`;
    throw error;
  }
}

function put(tree: ObjectTree, target: string, records: unknown): string {
  return ask(tree, "PUT", target, { contentFormat: JSON_FORMAT, payload: JSON.stringify(records) });
}

/** As SenML, of one instance of object 0. */
function security(id: number, shortServerId: number, uri = "coap://192.0.2.7"): readonly object[] {
  return [
    { bn: `/0/${id}/`, n: "0", vs: uri },
    { n: "1", vb: false },
    { n: "2", v: 3 },
    { n: "10", v: shortServerId },
  ];
}

function server(id: number, shortServerId: number): readonly object[] {
  return [
    { bn: `/1/${id}/`, n: "0", v: shortServerId },
    { n: "1", v: 86_400 },
    { n: "6", vb: false },
    { n: "7", vs: "U" },
  ];
}

const SECURITY_0 = { "/0/0": "0 1 2 10", "/0/0/0": "coap://192.0.2.7", "/0/0/1": false, "/0/0/2": 3, "/0/0/10": 1 };
const SERVER_0 = { "/1/0": "0 1 6 7", "/1/0/0": 1, "/1/0/1": 86_400, "/1/0/6": false, "/1/0/7": "U" };

const BOOTSTRAP_1 = {
  "/0/1": "0 1 2 11 12",
  "/0/1/0": "coap://192.0.2.9",
  "/0/1/1": true,
  "/0/1/2": 3,
  "/0/1/11": 0,
  "/0/1/12": 0,
};

describe("Bootstrap-Discover", () => {
  it.each([
    ["", "</>;lwm2m=1.2,</0/1>,</1>,</2>,</3/0>,</16>,</3303>;ver=1.1,</3303/0>"],
    ["0", "</>;lwm2m=1.2,</0/1>"],
    ["3", "</>;lwm2m=1.2,</3/0>"],
    ["3303", "</>;lwm2m=1.2,</3303>;ver=1.1,</3303/0>"],
  ])("of /%s", (target, links) => {
    expect(ask(bootstrapTree(), "GET", target, { accept: LINKS })).toBe(`2.05 ${links}`);
  });

  it("names the accounts, but not that of the bootstrap server", () => {
    const tree = bootstrapTree({ servers: [{ shortServerId: 101 }, { uri: "coap://host", shortServerId: 102 }] });
    expect(ask(tree, "GET", "/", { accept: LINKS })).toBe(
      '2.05 </>;lwm2m=1.2,</0/0>;ssid=101;uri="coap://192.0.2.1",</0/1>;ssid=102;uri="coap://host",</0/2>,' +
        "</1/0>;ssid=101,</1/1>;ssid=102,</2>,</3/0>,</16>,</3303>;ver=1.1,</3303/0>",
    );
  });

  it.each([
    ["/3/0", "4.00 /3/0 is not an object"],
    ["/4711", "4.04 /4711 does not exist"],
    ["/d01", "4.05 /d01 is not for bootstrap servers"],
  ])("not of %s", (target, answer) => {
    expect(ask(bootstrapTree(), "GET", target, { accept: LINKS })).toBe(answer);
  });
});

describe("Bootstrap-Read", () => {
  const tree = bootstrapTree({ servers: [{ shortServerId: 101 }] });

  it("gives Server and Access Control, whole or by instance", () => {
    put(tree, "/2/0", [
      { bn: "/2/0/", n: "0", v: 1 },
      { n: "1", v: 0 },
      { n: "2/101", v: 15 },
      { n: "3", v: 101 },
    ]);
    expect(ask(tree, "GET", "/2", { accept: JSON_FORMAT })).toBe(
      '2.05 [{"bn":"/2/0/","n":"0","v":1},{"n":"1","v":0},{"n":"2/101","v":15},{"n":"3","v":101}]',
    );
    expect(ask(tree, "GET", "/1/0", { accept: JSON_FORMAT })).toContain(
      '2.05 [{"bn":"/1/0/","n":"0","v":101},{"n":"1","v":60}',
    );
    expect(ask(tree, "GET", "/1")).toMatch(/^2\.05 [0-9a-f]+$/);
  });

  it.each([
    ["/0", "4.05 /0 cannot be read by a bootstrap server"],
    ["/0/0", "4.05 /0/0 cannot be read by a bootstrap server"],
    ["/1/0/1", "4.05 /1/0/1 cannot be read by a bootstrap server"],
    ["/3/0", "4.05 /3/0 cannot be read by a bootstrap server"],
    ["/", "4.05 / cannot be read by a bootstrap server"],
    ["/d01/1", "4.05 /d01/1 is not for bootstrap servers"],
    ["/1/7", "4.04 /1/7 does not exist"],
  ])("not %s", (target, answer) => {
    expect(ask(tree, "GET", target)).toBe(answer);
  });

  it("refuses formats that carry one value", () => {
    expect(ask(tree, "GET", "/1", { accept: TEXT })).toMatch(/^4\.06/);
  });
});

describe("Bootstrap-Write", () => {
  it("int-0: makes accounts, by object and by instance", () => {
    const tree = bootstrapTree();
    expect(put(tree, "/0", security(0, 1))).toBe("2.04");
    expect(put(tree, "/1/0", server(0, 1))).toBe("2.04");
    expect(contentOf(tree, [0, 1])).toEqual({ ...SECURITY_0, ...BOOTSTRAP_1, ...SERVER_0 });
  });

  it("takes several instances at once, in TLV as well", () => {
    const tree = bootstrapTree();
    // Instances 0 and 1 of object 1: short server id, lifetime.
    const payload = fromHex("080006c10001c1013c" + "080106c10002c1013c");
    expect(ask(tree, "PUT", "/1", { contentFormat: TLV, payload })).toBe("2.04");
    expect(contentOf(tree, [1])).toEqual({
      "/1/0": "0 1",
      "/1/0/0": 1,
      "/1/0/1": 60,
      "/1/1": "0 1",
      "/1/1/0": 2,
      "/1/1/1": 60,
    });
  });

  it("replaces an instance as a whole, whatever servers may write of it", () => {
    const tree = bootstrapTree({ servers: [{}] });
    expect(put(tree, "/1/0", [...server(0, 7), { n: "13", v: 2 }])).toBe("2.04");
    expect(contentOf(tree, [1])).toEqual({ ...SERVER_0, "/1/0": "0 1 6 7 13", "/1/0/0": 7, "/1/0/13": 2 });
  });

  it("int-9: writes one resource, and makes the instance where it is missing", () => {
    const tree = bootstrapTree();
    expect(ask(tree, "PUT", "/1/0/5", { contentFormat: TEXT, payload: "86400" })).toBe("2.04");
    expect(ask(tree, "PUT", "/1/0/1", { payload: "60" })).toBe("2.04");
    expect(contentOf(tree, [1])).toEqual({ "/1/0": "1 5", "/1/0/1": 60, "/1/0/5": 86_400 });
  });

  it("passes over what it does not know, and what has no value", () => {
    const tree = bootstrapTree();
    expect(put(tree, "/1/0", [...server(0, 1), { n: "4711", v: 1 }, { n: "8", v: 1 }])).toBe("2.04");
    expect(contentOf(tree, [1])).toEqual(SERVER_0);
  });

  it("may link to what is written later", () => {
    const tree = bootstrapTree();
    expect(put(tree, "/0/0", [...security(0, 1), { n: "17", vlo: "21:0" }])).toBe("2.04");
  });

  it("writes the device's settings, and passes over what it is", () => {
    const tree = bootstrapTree();
    expect(
      put(tree, "/3/0", [
        { bn: "/3/0/", n: "0", vs: "Other" },
        { n: "14", vs: "+02:00" },
      ]),
    ).toBe("2.04");
    expect(tree.resource(3, 0, 14)?.samples.get(0)?.value).toBe("+02:00");
    expect(tree.resource(3, 0, 1)?.samples.get(0)?.value).toBe("gateway");
    expect(tree.resource(3, 0, 0)).toBeUndefined();
  });

  it.each<[what: string, target: string, options: Ask, answer: string]>([
    [
      "the root",
      "/",
      { contentFormat: JSON_FORMAT, payload: "[]" },
      "4.05 / cannot be the target of a Bootstrap-Write",
    ],
    ["a resource instance", "/2/0/2/1", { payload: "1" }, "4.05 /2/0/2/1 is not for bootstrap servers"],
    ["an unknown object", "/4711", { contentFormat: JSON_FORMAT, payload: "[]" }, "4.04 /4711 does not exist"],
    ["an unknown resource", "/1/0/4711", { payload: "1" }, "4.04 /1/0/4711 does not exist"],
    ["what has no value", "/1/0/8", { payload: "1" }, "4.05 /1/0/8 cannot be written"],
    ["what the device is", "/3/0/0", { payload: "x" }, "4.05 /3/0/0 cannot be written"],
    ["what the field has made", "/3303/0/5700", { payload: "1" }, "4.05 /3303/0/5700 is not for bootstrap servers"],
    ["a device behind the gateway", "/d01/1/0", { payload: "1" }, "4.05 /d01/1/0 is not for bootstrap servers"],
    ["a second device", "/3/1", { contentFormat: JSON_FORMAT, payload: "[]" }, "4.00 /3/1 is no instance that can be"],
    [
      "the reserved instance",
      "/1/65535",
      { contentFormat: JSON_FORMAT, payload: "[]" },
      "4.00 /1/65535 is no instance that can be",
    ],
    ["a value of another type", "/1/0/1", { payload: "x" }, "4.00 /1/0/1 takes integer, not 'x'"],
    ["a value out of range", "/1/0/0", { payload: "65535" }, "4.00 /1/0/0 must be 1 to 65534"],
    ["an unknown format", "/1/0", { contentFormat: 50, payload: "{}" }, "4.15 content format 50 is not supported here"],
    ["no format", "/1/0", { payload: "x" }, "4.15 a payload without Content-Format is not supported here"],
    ["a query", "/1/0/1?a=b", { payload: "60" }, "4.02 the query 'a=b' has no meaning here"],
  ])("refuses %s", (_what, target, options, answer) => {
    const tree = bootstrapTree();
    const before = contentOf(tree, [...tree.objects.keys()]);
    expect(ask(tree, "PUT", target, options)).toBe(answer);
    expect(contentOf(tree, [...tree.objects.keys()])).toEqual(before);
  });

  it.each([
    ["one bad value", [...server(0, 1), { bn: "/1/1/", n: "0", v: 0 }], "4.00 /1/1/0 must be 1 to 65534"],
    ["another object", [{ n: "/3/0/14", vs: "x" }], "4.00 /3/0/14 is outside of /1"],
    ["a device behind the gateway", [{ n: "/d01/1/0/0", v: 1 }], "4.05 /1 has no devices for bootstrap servers"],
  ])("changes nothing of an object with %s in it", (_what, records, answer) => {
    const tree = bootstrapTree();
    expect(put(tree, "/1", records)).toBe(answer);
    expect(contentOf(tree, [1])).toEqual({});
  });

  describe("of the bootstrap server's own account", () => {
    const another = [
      { bn: "/0/0/", n: "0", vs: "coap://192.0.2.8" },
      { n: "1", vb: true },
      { n: "2", v: 3 },
    ];

    it("refuses a second one", () => {
      const tree = bootstrapTree();
      expect(put(tree, "/0/0", another)).toBe("4.00 /0 would have a second bootstrap server");
      expect(ask(tree, "PUT", "/0/0/1", { payload: "1" })).toBe("4.00 /0 would have a second bootstrap server");
      expect(contentOf(tree, [0])).toEqual(BOOTSTRAP_1);
    });

    it("replaces it in its place", () => {
      const tree = bootstrapTree();
      expect(
        put(
          tree,
          "/0/1",
          another.map((record) => ({ ...record, ...("bn" in record ? { bn: "/0/1/" } : {}) })),
        ),
      ).toBe("2.04");
      expect(contentOf(tree, [0])).toMatchObject({ "/0/1": "0 1 2", "/0/1/0": "coap://192.0.2.8", "/0/1/1": true });
    });

    it("moves it in one request", () => {
      const tree = bootstrapTree();
      expect(put(tree, "/0", [...another, ...security(1, 1)])).toBe("2.04");
      expect(contentOf(tree, [0])).toMatchObject({ "/0/0/1": true, "/0/1/1": false });
    });
  });
});

describe("Bootstrap-Delete", () => {
  it.each([
    ["/", { "/0": [1], "/1": [], "/3": [0], "/16": [], "/3303": [0] }],
    ["/0", { "/0": [1], "/1": [0], "/3": [0], "/16": [0], "/3303": [0] }],
    ["/1", { "/0": [0, 1], "/1": [], "/3": [0], "/16": [0], "/3303": [0] }],
    ["/0/0", { "/0": [1], "/1": [0], "/3": [0], "/16": [0], "/3303": [0] }],
    ["/0/1", { "/0": [0, 1], "/1": [0], "/3": [0], "/16": [0], "/3303": [0] }],
    ["/3", { "/0": [0, 1], "/1": [0], "/3": [0], "/16": [0], "/3303": [0] }],
    ["/3/0", { "/0": [0, 1], "/1": [0], "/3": [0], "/16": [0], "/3303": [0] }],
    ["/1/7", { "/0": [0, 1], "/1": [0], "/3": [0], "/16": [0], "/3303": [0] }],
    ["/4711", { "/0": [0, 1], "/1": [0], "/3": [0], "/16": [0], "/3303": [0] }],
  ])("int-4: %s", (target, left) => {
    const tree = bootstrapTree({ servers: [{}] });
    put(tree, "/16/0", [{ n: "/16/0/0/0", vs: "a" }]);
    expect(ask(tree, "DELETE", target)).toBe("2.02");
    const ids = Object.keys(left).map((path) => [
      path,
      [...(tree.objects.get(Number(path.slice(1)))?.instances.keys() ?? [])],
    ]);
    expect(Object.fromEntries(ids)).toEqual(left);
  });

  it.each([
    ["/1/0/1", "4.05 /1/0/1 cannot be deleted"],
    ["/3303", "4.05 /3303 cannot be deleted"],
    ["/3303/0", "4.05 /3303/0 cannot be deleted"],
    ["/d01", "4.05 /d01 is not for bootstrap servers"],
    ["/d01/3", "4.05 /d01/3 is not for bootstrap servers"],
  ])("not %s", (target, answer) => {
    expect(ask(bootstrapTree({ servers: [{}] }), "DELETE", target)).toBe(answer);
  });

  it.each(["/", "/18830", "/18830/60000"])("%s leaves what the gateway's file says", (target) => {
    const tree = bootstrapTree({ servers: [{}] });
    tree.addObject(model(18830), {
      by: "servers",
      create: () => new Map(),
      removed: () => undefined,
      isFixed: (instanceId) => instanceId >= 60_000,
    });
    tree.addInstance(model(18830), 0);
    tree.addInstance(model(18830), 60_000);
    expect(ask(tree, "DELETE", target)).toBe("2.02");
    expect(tree.instance(18830, 60_000)).toBeDefined();
  });
});

describe("other methods", () => {
  it.each<[Method, string]>([
    ["POST", "/1/0/8"],
    ["POST", "/bs/bs"],
    ["FETCH", "/"],
    ["iPATCH", "/"],
  ])("%s %s is not for bootstrap servers", (method, target) => {
    expect(ask(bootstrapTree(), method, target)).toMatch(/^4\.05/);
  });
});

describe("Bootstrap-Pack", () => {
  function open(tree: ObjectTree, records: unknown): void {
    const payload = utf8Encode(JSON.stringify(records));
    unpack(tree, { code: Code.Content, contentFormat: JSON_FORMAT, payload }, 1000);
  }

  it("replaces all instances of its objects, and leaves the others", () => {
    const tree = bootstrapTree({ servers: [{}, {}] });
    put(tree, "/16/0", [{ n: "/16/0/0/0", vs: "a" }]);
    open(tree, [...security(0, 1), ...server(0, 1)]);
    expect(contentOf(tree, [0, 1, 16])).toEqual({
      ...SECURITY_0,
      ...Object.fromEntries(Object.entries(BOOTSTRAP_1).map(([path, value]) => [path.replace("/0/1", "/0/2"), value])),
      ...SERVER_0,
      "/16/0": "0",
      "/16/0/0/0": "a",
    });
  });

  it("leaves out objects and resources that the client does not know", () => {
    const tree = bootstrapTree();
    open(tree, [...security(0, 1), ...server(0, 1), { n: "4711", v: 1 }, { bn: "/4711/0/", n: "0", v: 1 }]);
    expect(contentOf(tree, [1])).toEqual(SERVER_0);
  });

  it.each([
    ["a device behind the gateway", [{ n: "/d01/3/0/14", vs: "x" }]],
    ["what the field has made", [{ n: "/3303/0/5700", v: 1 }]],
    ["a bad value", [{ n: "/1/0/0", v: 0 }]],
    ["no list", { n: "/1/0/0" }],
  ])("is of no use with %s", (_what, records) => {
    expect(() => open(bootstrapTree(), records)).toThrow(CausewayError);
  });
});

describe("the draft", () => {
  it("is seen by nobody before it is committed", async () => {
    const tree = bootstrapTree({ servers: [{}] });
    const before = contentOf(tree, [0, 1, 2, 3]);
    const draft = new BootstrapDraft(tree);
    ask(draft.tree, "DELETE", "/");
    put(draft.tree, "/0", security(0, 1));
    put(draft.tree, "/1", server(0, 1));
    put(draft.tree, "/3/0", [{ n: "/3/0/14", vs: "+05:00" }]);
    expect(contentOf(tree, [0, 1, 2, 3])).toEqual(before);

    await draft.commit(never);
    expect(contentOf(tree, [0, 1, 2])).toEqual({
      ...SECURITY_0,
      ...BOOTSTRAP_1,
      ...SERVER_0,
      // What can be executed comes with the instance.
      "/1/0": "0 1 4 6 7 8 9",
    });
    expect(tree.resource(3, 0, 14)?.samples.get(0)?.value).toBe("+05:00");
  });

  it("changes nothing at all when the tree refuses a part of it", async () => {
    const tree = bootstrapTree({ servers: [{}, {}] });
    tree.addObject(model(19), {
      by: "servers",
      create(instanceId) {
        if (instanceId > 0) throw new CausewayError("LWM2M_BAD_REQUEST", "one instance is enough");
        return new Map();
      },
      removed: () => undefined,
    });
    const before = contentOf(tree, [...tree.objects.keys()]);
    const draft = new BootstrapDraft(tree);
    ask(draft.tree, "DELETE", "/1/1");
    put(draft.tree, "/1/0", server(0, 1));
    for (const id of [0, 1]) put(draft.tree, `/19/${id}`, [{ n: `/19/${id}/3`, vs: "a" }]);
    await expect(draft.commit(never)).rejects.toMatchObject({ message: "one instance is enough" });
    expect(contentOf(tree, [...tree.objects.keys()])).toEqual(before);

    // The bootstrap server may mend it.
    ask(draft.tree, "DELETE", "/19/1");
    await draft.commit(never);
    expect(contentOf(tree, [19])).toMatchObject({ "/19/0/3": "a" });
    expect(tree.instance(1, 1)).toBeUndefined();
  });

  it("tells of what has changed only", async () => {
    const tree = bootstrapTree({ servers: [{}] });
    const draft = new BootstrapDraft(tree);
    const heard: string[] = [];
    tree.listen(({ kind, path }) => heard.push(`${kind} ${path.join("/")}`));
    put(draft.tree, "/1/1", server(1, 2));
    ask(draft.tree, "PUT", "/1/0/1", { payload: "300" });
    await draft.commit(never);
    expect(heard).toEqual([
      "instance-added 1/1",
      "value 1/0/1",
      "value 1/1/0",
      "value 1/1/1",
      "value 1/1/6",
      "value 1/1/7",
    ]);
  });

  it("leaves alone what came and went meanwhile", async () => {
    const tree = bootstrapTree({ servers: [{}] });
    const draft = new BootstrapDraft(tree);
    put(draft.tree, "/16/1", [{ n: "/16/1/0/0", vs: "a" }]);
    tree.addInstance(model(16), 0);
    await draft.commit(never);
    expect([...(tree.objects.get(16)?.instances.keys() ?? [])]).toEqual([0, 1]);
  });

  it("gives new instances their handlers, and writes through those that there are", async () => {
    const tree = bootstrapTree();
    const draft = new BootstrapDraft(tree);
    put(draft.tree, "/1/0", server(0, 1));
    ask(draft.tree, "PUT", "/3/0/13", { payload: "1000" });
    await draft.commit(never);
    expect(tree.resource(1, 0, 9)?.handler.execute).toBeTypeOf("function");
    expect(tree.resource(3, 0, 13)?.handler.read?.()).toBe(1000);
  });
});
