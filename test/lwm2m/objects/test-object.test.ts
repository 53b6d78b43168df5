import { expect, it } from "vitest";
import type { NamedPath } from "../../../src/lwm2m/codec/codec.js";
import { ContentFormat } from "../../../src/lwm2m/codec/formats.js";
import { addTestObject } from "../../../src/lwm2m/objects/test-object.js";
import { FakeClock } from "../../fakes/clock.js";
import { shippedModels, startBench } from "../../fakes/lwm2m-client.js";
import { random } from "../../fakes/random.js";

const accept = ContentFormat.senmlJson;

async function start() {
  const sent: (readonly NamedPath[])[] = [];
  const options = {
    clock: new FakeClock(),
    random: random(7).next,
    send: (paths: readonly NamedPath[]) => sent.push(paths),
  };
  const bench = await startBench({ prepare: (tree) => addTestObject(tree, shippedModels, options) });
  const records = async (): Promise<ReadonlyMap<string, unknown>> => {
    const text = await bench.server.text("GET", "/3442/0", { accept });
    const list: readonly Record<string, unknown>[] = JSON.parse(text.slice("2.05 ".length));
    return new Map(list.map(({ n, v, vs, vb, vd, vlo }) => [String(n), v ?? vs ?? vb ?? vd ?? vlo]));
  };
  return { ...bench, sent, records };
}

it("begins with the values of its definition, single and multiple, and goes back to them", async () => {
  const { server, records } = await start();
  const initial = await records();
  expect(Object.fromEntries(initial)).toMatchObject({
    110: "initial value",
    120: 1024,
    130: 314_159 / 100_000,
    140: true,
    150: "ASNFZ4mrze8",
    160: 946_684_800,
    170: "3:0",
    180: "</3442>",
    "1120/0": 1024,
    "1170/0": "3:0",
  });
  expect(await server.text("GET", "/3442/0/125")).toBe("2.05 9223372036854775808");
  expect(await server.text("POST", "/3442/0/1")).toBe("2.04");
  expect(await records()).not.toEqual(initial);
  expect(await server.text("POST", "/3442/0/0")).toBe("2.04");
  expect(await records()).toEqual(initial);
});

it("clears everything: multiple resources are empty", async () => {
  const { server, records } = await start();
  expect(await server.text("POST", "/3442/0/2")).toBe("2.04");
  expect(Object.fromEntries(await records())).toEqual({
    110: "",
    120: 0,
    125: 0,
    130: 0,
    140: false,
    150: "",
    160: 0,
    170: "65535:65535",
    180: "",
  });
});

it("takes what a server writes of every type", async () => {
  const { server } = await start();
  for (const [id, value] of [
    [110, "x"],
    [120, "-5"],
    [125, "7"],
    [130, "1.5"],
    [140, "0"],
    [170, "1:0"],
  ] as const) {
    expect(await server.text("PUT", `/3442/0/${id}`, { contentFormat: 0, payload: value })).toBe("2.04");
    expect(await server.text("GET", `/3442/0/${id}`)).toBe(`2.05 ${value}`);
  }
});

it("keeps the arguments of the last Execute", async () => {
  const { server } = await start();
  expect(await server.text("POST", "/3442/0/3", { payload: "3='stringValue',4" })).toBe("2.04");
  expect(await server.text("GET", "/3442/0/4/3")).toBe("2.05 stringValue");
  expect(await server.text("GET", "/3442/0/4/4")).toBe("2.05 ");
  expect(await server.text("POST", "/3442/0/3")).toBe("2.04");
  expect(await server.text("GET", "/3442/0/4/3")).toBe("4.04");
});

it("sends the paths that were written, and only paths", async () => {
  const { server, sent } = await start();
  const write = (...texts: readonly string[]) =>
    server.text("PUT", "/3442/0/6", {
      contentFormat: accept,
      payload: JSON.stringify(texts.map((vs, id) => ({ n: `/3442/0/6/${id}`, vs }))),
    });
  expect(await server.text("POST", "/3442/0/5")).toBe("4.00");
  expect(await write("/1/0/1", "3/0/11/0", "/d01/3303/0")).toBe("2.04");
  expect(await server.text("POST", "/3442/0/5")).toBe("2.04");
  expect(sent).toEqual([[{ path: [1, 0, 1] }, { path: [3, 0, 11, 0] }, { path: [3303, 0], prefix: "d01" }]]);
  await write("/1/x");
  expect(await server.text("POST", "/3442/0/5")).toBe("4.00");
});
