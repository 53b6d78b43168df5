import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { expectBalance } from "./balance.js";
import { METER_PATHS, Rig } from "./rig.js";

const { seed } = random();
const REQUEST = "POST /bs?ep=urn:dev:os:32473-1&pct=112";

/** Gives the gateway one server and no other, as it would stand in its file. */
async function bootstrap({ bootstrapServer }: Rig, shortServerId = 1): Promise<void> {
  const put = async (target: string, records: readonly object[]): Promise<void> => {
    const payload = JSON.stringify(records);
    expect(await bootstrapServer.text("PUT", target, { contentFormat: 110, payload })).toBe("2.04");
  };
  await put("/0/0", [
    { bn: "/0/0/", n: "0", vs: `coap://192.0.2.${shortServerId}` },
    { n: "1", vb: false },
    { n: "2", v: 3 },
    { n: "10", v: shortServerId },
  ]);
  await put("/1/0", [
    { bn: "/1/0/", n: "0", v: shortServerId },
    { n: "1", v: 300 },
    { n: "6", vb: true },
    { n: "7", vs: "U" },
    { n: "23", vb: false },
    { n: "26", v: 1 },
  ]);
  expect(await bootstrapServer.text("POST", "/bs")).toBe("2.04");
}

describe(`a gateway that knows a bootstrap server only (seed ${seed})`, () => {
  it("registers where it is told to, and its readings arrive", async () => {
    await using rig = new Rig({ seed, bootstrap: "only" });
    await rig.start();
    await rig.run(5000);
    expect(rig.bootstrapServer.log).toEqual([REQUEST]);
    expect(rig.server.log).toEqual([]);
    await bootstrap(rig);
    await rig.run(10_000);
    expect(rig.server.log[0]).toBe("POST /rd?ep=urn:dev:os:32473-1&lt=300&lwm2m=1.2&b=U");
    expect(rig.server.arrivals.length).toBeGreaterThan(50);
    const { endpoints } = await rig.gateway.status();
    expect(endpoints[0]).toMatchObject({ servers: [{ shortServerId: 1 }], bootstrap: { state: "idle" } });
  });

  it("refuses a server for which it has no transport", async () => {
    await using rig = new Rig({ seed, bootstrap: "only" });
    await rig.start();
    await rig.run(5000);
    const { bootstrapServer } = rig;
    const records = [
      { bn: "/0/0/", n: "0", vs: "coap+tcp://192.0.2.1" },
      { n: "1", vb: false },
      { n: "2", v: 3 },
      { n: "10", v: 1 },
    ];
    const payload = JSON.stringify(records);
    expect(await bootstrapServer.text("PUT", "/0/0", { contentFormat: 110, payload })).toBe("2.04");
    expect(await bootstrapServer.text("POST", "/bs")).toBe("4.06");
    expect(rig.messages("the bootstrap server's configuration is inconsistent")).toMatchObject([
      { problems: expect.arrayContaining(["/0/0/0 is of scheme coap+tcp, which is not supported here"]) },
    ]);
  });

  it("keeps its servers over a power cut, and delivers what they missed", async () => {
    await using rig = new Rig({ seed, bootstrap: "only" });
    await rig.start();
    await rig.run(5000);
    await bootstrap(rig);
    await rig.run(15_000);
    const left = await rig.copyState();
    rig.server.presence = "silent";
    await rig.stop();
    rig.server.forget();
    await rig.start(left);
    await rig.run(15_000);
    rig.server.presence = "there";
    await rig.run(15_000);
    expect(rig.bootstrapServer.log).toEqual([REQUEST]);
    rig.plant.trouble("meter", "resting");
    const fromMs = rig.clock.nowMs() - 30_000;
    await expectBalance(rig, 600_000, { counts: ({ atMs }) => atMs > fromMs });
  });

  it("leaves a server for another, which gets every reading from then on", async () => {
    await using rig = new Rig({ seed, bootstrap: "only", servers: [METER_PATHS, METER_PATHS] });
    const [first, second] = rig.servers;
    if (first === undefined || second === undefined) throw new Error("no servers");
    await rig.start();
    await rig.run(5000);
    await bootstrap(rig);
    await rig.run(15_000);
    const switchedAtMs = rig.clock.nowMs();
    second.presence = "silent";
    await bootstrap(rig, 2);
    await rig.run(20_000);
    const before = first.arrivals.length;
    second.presence = "there";
    await rig.run(15_000);
    expect(first.arrivals).toHaveLength(before);
    rig.plant.trouble("meter", "resting");
    const counts = ({ atMs }: { atMs: number }): boolean => atMs > switchedAtMs + 1000;
    await expectBalance(rig, 600_000, { server: second, counts });
  });
});
