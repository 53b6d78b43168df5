import { expect, it } from "vitest";
import { ContentFormat } from "../../../src/lwm2m/codec/formats.js";
import { addStoredObject } from "../../../src/lwm2m/objects/stored.js";
import { shippedModels, startBench } from "../../fakes/lwm2m-client.js";

const json = (...records: readonly object[]) => ({
  contentFormat: ContentFormat.senmlJson,
  payload: JSON.stringify(records),
});

it("servers create, write and delete instances of a stored object", async () => {
  const { server } = await startBench({ prepare: (tree) => addStoredObject(tree, shippedModels, 19) });
  const data = { n: "/19/0/0/0", vd: "AQI" };
  expect(await server.text("POST", "/19", json(data, { n: "/19/0/3", vs: "meter" }))).toBe("2.01 /19/0");
  expect(await server.text("PUT", "/19/0/0", json({ n: "/19/0/0/0", vd: "AwQ" }, { n: "/19/0/0/1", vd: "BQ" }))).toBe(
    "2.04",
  );
  expect(await server.text("GET", "/19/0", { accept: ContentFormat.senmlJson })).toBe(
    '2.05 [{"bn":"/19/0/","n":"0/0","vd":"AwQ"},{"n":"0/1","vd":"BQ"},{"n":"3","vs":"meter"}]',
  );
  expect(await server.text("PUT", "/19/0/3", { contentFormat: 0, payload: "x".repeat(33) })).toBe("4.00");
  expect(await server.text("DELETE", "/19/0/0/1")).toBe("2.02");
  expect(await server.text("DELETE", "/19/0")).toBe("2.02");
  expect(await server.text("GET", "/19/0")).toBe("4.04");
});

it("a stored object has a limit", async () => {
  const { server, tree } = await startBench({ prepare: (tree) => addStoredObject(tree, shippedModels, 16) });
  const answers: string[] = [];
  for (let count = 0; count <= 100; count++) {
    answers.push(await server.text("POST", "/16", json({ n: "/16/65535/0/0", vs: "a" })));
  }
  expect(answers.slice(-2)).toEqual(["2.01 /16/99", "4.00"]);
  expect(tree.objects.get(16)?.instances.size).toBe(100);
});
