import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Child } from "../interop/child.js";
import { freePort } from "../interop/modbus-programs.js";
import { Site } from "./site.js";

const PROGRAM = fileURLToPath(new URL("../../dist/bundle/src/main.js", import.meta.url));

const causeway = (...words: readonly string[]): Child => new Child(process.execPath, [PROGRAM, ...words]);

describe("causeway status beside a running gateway", () => {
  it("shows it, follows its decisions, and says when it has ended", async () => {
    await using site = await Site.open(["/3300/0/5700"]);
    await site.file("wave.yaml", {
      profile: "wave",
      title: "A value that changes",
      adapter: "sim",
      points: { value: { wave: "ramp", every: "fast" } },
      objects: [{ object: 3300, resources: { 5700: "value" } }],
    });
    const config = await site.file("causeway.yaml", {
      gateway: { endpoint: "gw", state: "state", log: "debug" },
      mappings: ["."],
      servers: [{ uri: site.uri }],
      links: { room: { adapter: "sim" } },
      devices: [{ name: "wave", link: "room", profile: "wave", poll: { fast: "200ms" } }],
      local: { listen: `127.0.0.1:${await freePort()}` },
    });
    await using before = causeway("status", "-c", config);
    expect(await before.ended).toBe(4);
    await using gateway = causeway("run", "-c", config);
    await gateway.line((line) => line.includes('"msg":"registered"'));
    await using watch = causeway("status", "--watch", "-c", config);
    const sent = await watch.line((line) => line.includes("sent CON (change)"));
    expect(sent).toMatch(/^\d{4}-.*Z gw server 1: notification of \/3300\/0\/5700: sent CON \(change\)$/);
    await using shown = causeway("status", "-c", config);
    expect(await shown.ended).toBe(0);
    const text = shown.lines.join("\n");
    expect(text).toMatch(/^gw {2,}1 {2,}coap:\/\/127\.0\.0\.1:\d+ {2,}registered {2,}1\.2 {2,}1 /m);
    expect(text).toMatch(/^wave {2,}room {2,}online .* 1 good {2,}0$/m);
    await using json = causeway("status", "--json", "-c", config);
    expect(JSON.parse(await json.line(() => true))).toMatchObject({
      program: "causeway",
      endpoints: [{ endpoint: "gw", servers: [{ state: "registered", observations: 1 }] }],
      devices: [{ name: "wave", health: "online", points: [{ name: "value", quality: "good" }] }],
    });
    gateway.signal("SIGTERM");
    expect(await gateway.ended).toBe(0);
    // The log has the same at level debug, from the first step to the last.
    const log = gateway.lines.join("\n");
    expect(log).toContain('"msg":"registration: start: idle → registering, register 1.2"');
    expect(log).toContain('"msg":"registration: close: registered → deregistering');
    expect(await watch.ended).toBe(4);
    expect(watch.complaint).toContain("LOCAL_UNREACHABLE");
  });
});
