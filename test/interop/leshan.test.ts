import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./child.js";
import type { GatewayProcess } from "./gateway-process.js";
import type { Edition, LeshanNode, LeshanResponse, LeshanServer } from "./leshan-server.js";
import { ENDPOINT, Site } from "./leshan-site.js";
import type { PymodbusSlave } from "./pymodbus-slave.js";

const TEMPERATURE = 1;
const HUMIDITY = 2;

interface Peer {
  readonly edition: Edition;
  readonly field: "tcp" | "rtu";
  /** The demo takes any version; the newest library knows 1.0 and 1.1 and answers 4.12 to others. */
  readonly version: "1.1" | "1.2";
  /** Core objects whose version is not that of the enabler version. */
  readonly coreVersions: Readonly<Record<string, string>>;
}

const peers: readonly Peer[] = [
  { edition: "demo", field: "tcp", version: "1.2", coreVersions: {} },
  { edition: "newest", field: "rtu", version: "1.1", coreVersions: { "/1": "1.2", "/3": "1.2", "/4": "1.3" } },
];

describe.each(peers)("Leshan, $edition, field by Modbus $field", ({ edition, field, version, coreVersions }) => {
  let site: Site;
  let server: LeshanServer;
  let slave: PymodbusSlave;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    site = await Site.open({ edition, field, profile: "interop-station", lifetime: "4s" });
    ({ server, slave } = site);
    await slave.set("input", TEMPERATURE, 215, 480);
    gateway = await site.startGateway();
    await server.registration(ENDPOINT);
    await eventually("the temperature is there", async () => (await valueAt("/3303/0/5700")) === 21.5);
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  const ask = (method: "GET" | "PUT" | "POST" | "DELETE", path: string, node?: unknown): Promise<LeshanResponse> =>
    server.ask(method, ENDPOINT, path, node);
  const valueAt = async (path: string): Promise<unknown> => (await server.read(ENDPOINT, path)).content?.value;
  /** Waits until a server that reads sees the value. */
  const seen = (path: string, value: unknown): Promise<void> =>
    eventually(`${path} is ${value}`, async () => (await valueAt(path)) === value);
  /** Values of the notifications of a resource since `from`, an index of the events. */
  const notified = (path: string, from: number): readonly unknown[] =>
    server.events
      .slice(from)
      .filter(({ kind }) => kind === "NOTIFICATION")
      .map(({ data }): { ep: string; res: string; val: LeshanNode } => JSON.parse(data))
      .filter(({ res }) => res === path)
      .map(({ val }) => val.value);

  it("registers with the version that the server takes and the objects that the mapping names", async () => {
    const client = await server.registration(ENDPOINT);
    expect(client).toMatchObject({ endpoint: ENDPOINT, lwM2mVersion: version, lifetime: 4 });
    const [root, ...objects] = client.objectLinks;
    expect(root?.url).toBe("/");
    for (const format of ["60", "110", "112", "11542"]) expect(root?.attributes["ct"]).toContain(format);
    const versions = { ...coreVersions, "/3303": "1.1", "/3304": "1.1", "/3306": "1.1", "/3308": "1.1" };
    const instances = ["/1/0", "/3/0", "/4/0", "/7/0", "/3303/0", "/3304/0", "/3306/0", "/3308/0"];
    const expected = [
      ...Object.entries(versions).map(([url, ver]) => ({ url, attributes: { ver } })),
      ...instances.map((url) => ({ url, attributes: {} })),
    ];
    const byUrl = (a: { url: string }, b: { url: string }): number => a.url.localeCompare(b.url);
    expect([...objects].sort(byUrl)).toEqual(expected.sort(byUrl));
  });

  it.each(["TEXT", "CBOR", "TLV", "SENML_JSON", "SENML_CBOR"])("is read in %s", async (format) => {
    for (const [path, value] of [
      ["/3303/0/5700", 21.5],
      ["/3303/0/5701", "Cel"],
      ["/3306/0/5850", false],
    ] as const) {
      const { status, content } = await server.read(ENDPOINT, path, format);
      expect([path, status, content?.value]).toEqual([path, "CONTENT(205)", value]);
    }
  });

  it.each(["TLV", "SENML_JSON", "SENML_CBOR"])("gives whole instances and objects in %s", async (format) => {
    const whole = await server.read(ENDPOINT, "/3303", format);
    const instance = await server.read(ENDPOINT, "/3303/0", format);
    for (const { resources } of [instance.content, whole.content?.instances?.[0]].map((node) => node ?? { id: -1 })) {
      const values = Object.fromEntries((resources ?? []).map(({ id, value }) => [id, value]));
      expect(values).toMatchObject({ 5700: 21.5, 5701: "Cel", 5601: 21.5, 5602: 21.5, 5750: "Hall" });
    }
    expect((await server.read(ENDPOINT, "/3/0", format)).content?.resources).toContainEqual({
      id: 0,
      value: "Causeway",
    });
  });

  it("refuses formats that do not fit and paths that are not there", async () => {
    expect((await server.read(ENDPOINT, "/3303/0/5700", "OPAQUE")).status).toBe("NOT_ACCEPTABLE(406)");
    for (const path of ["/3303/7/5700", "/3303/0/5799", "/3399/0"]) {
      expect((await server.read(ENDPOINT, path)).status).toBe("NOT_FOUND(404)");
    }
  });

  it("tells its resources by Discover", async () => {
    const { objectLinks = [] } = await ask("GET", "/3306/0/discover");
    expect(objectLinks.map(({ url }) => url).sort()).toEqual(
      ["/3306/0", ...["5518", "5750", "5850", "6050"].map((id) => `/3306/0/${id}`)].sort(),
    );
  });

  it("notifies each change, in order", async () => {
    const path = "/3303/0/5700";
    const from = server.events.length;
    expect((await ask("POST", `${path}/observe`)).content?.value).toBe(21.5);
    const values = Array.from({ length: 25 }, (_, index) => 30 + index / 2);
    for (const [index, value] of values.entries()) {
      await slave.set("input", TEMPERATURE, value * 10);
      await eventually(`notification of ${value}`, () => notified(path, from).length > index);
    }
    expect(notified(path, from)).toEqual(values);
    await ask("DELETE", `${path}/observe`);
    await slave.set("input", TEMPERATURE, 215);
    await seen(path, 21.5);
    expect(notified(path, from)).toEqual(values);
  });

  it("keeps to the attributes that the server writes", async () => {
    const path = "/3304/0/5700";
    expect((await ask("PUT", `${path}/attributes?pmin=0&gt=60`)).status).toBe("CHANGED(204)");
    const { objectLinks = [] } = await ask("GET", "/3304/0/discover");
    expect(objectLinks).toContainEqual({ url: path, attributes: { pmin: "0", gt: "60" } });
    const from = server.events.length;
    await ask("POST", `${path}/observe`);
    for (const humidity of [490, 595, 610]) {
      await slave.set("input", HUMIDITY, humidity);
      await seen(path, humidity / 10);
    }
    await eventually("a notification", () => notified(path, from).length > 0);
    expect(notified(path, from)).toEqual([61]);
    await ask("DELETE", `${path}/observe`);
  });

  it("switches the relay before it answers a Write", async () => {
    for (const value of [true, false, true]) {
      const { status } = await ask("PUT", "/3306/0/5850?format=TLV", { id: 5850, value });
      const coil = await slave.get("coil", 0);
      expect([status, coil]).toEqual(["CHANGED(204)", [value ? 1 : 0]]);
      expect(await valueAt("/3306/0/5850")).toBe(value);
    }
    for (const [format, value] of [
      ["TEXT", 19.5],
      ["SENML_JSON", 20.5],
      ["SENML_CBOR", -4.5],
    ] as const) {
      const { status } = await ask("PUT", `/3308/0/5900?format=${format}`, { id: 5900, value });
      expect([format, status]).toEqual([format, "CHANGED(204)"]);
      expect(await slave.get("holding", 0)).toEqual([(value * 10) & 0xffff]);
    }
    expect((await slave.writes()).map(([table]) => table)).toEqual([
      ...["coil", "coil", "coil"],
      ...["holding", "holding", "holding"],
    ]);
  });

  it.each([2, 4] as const)("answers with an error when the slave refuses by exception %s", async (exception) => {
    const before = await slave.writes();
    await slave.refuseWrites(exception);
    const { status, success } = await ask("PUT", "/3306/0/5850?format=TLV", { id: 5850, value: false });
    expect(success).toBe(false);
    expect(status).toMatch(/\([45]\d\d\)$/);
    await slave.refuseWrites("none");
    expect([await slave.writes(), await slave.get("coil", 0)]).toEqual([before, [1]]);
    expect(await valueAt("/3306/0/5850")).toBe(true);
  });

  it("answers with an error when the slave is silent, and keeps the old values", async () => {
    await slave.silence("on");
    const { status } = await ask("PUT", "/3306/0/5850?format=TLV", { id: 5850, value: false });
    expect(status).toMatch(/\(5\d\d\)$/);
    expect(await valueAt("/3306/0/5850")).toBe(true);
    await slave.silence("off");
    await slave.set("input", TEMPERATURE, 100);
    await seen("/3303/0/5700", 10);
  });

  it("resets minimum and maximum by Execute", async () => {
    for (const value of [300, 200]) {
      await slave.set("input", TEMPERATURE, value);
      await seen("/3303/0/5700", value / 10);
    }
    expect([await valueAt("/3303/0/5601"), await valueAt("/3303/0/5602")]).toEqual([10, 42]);
    expect((await ask("POST", "/3303/0/5605")).status).toBe("CHANGED(204)");
    expect([await valueAt("/3303/0/5601"), await valueAt("/3303/0/5602")]).toEqual([20, 20]);
  });

  it.each([
    [
      "Write to what is only read",
      "PUT",
      "/3303/0/5700?format=TEXT",
      { id: 5700, value: 1 },
      "METHOD_NOT_ALLOWED(405)",
    ],
    ["Execute of what is no command", "POST", "/3303/0/5700", undefined, "METHOD_NOT_ALLOWED(405)"],
    ["Execute of what is not there", "POST", "/3303/9/5605", undefined, "NOT_FOUND(404)"],
    ["Create", "POST", "/3303?format=TLV", { id: 1, resources: [] }, "METHOD_NOT_ALLOWED(405)"],
    ["Delete", "DELETE", "/3303/0", undefined, "METHOD_NOT_ALLOWED(405)"],
  ] as const)("refuses %s", async (_, method, path, node, status) => {
    expect((await ask(method, path, node)).status).toBe(status);
  });

  it("stays registered over several lifetimes and de-registers on SIGTERM", async () => {
    const { registrationId } = await server.registration(ENDPOINT);
    const heard = (kind: string): number => server.events.filter((event) => event.kind === kind).length;
    await eventually("eight Updates, half a lifetime apart", () => heard("UPDATED") >= 8, 30_000);
    expect((await server.client(ENDPOINT))?.registrationId).toBe(registrationId);
    expect(heard("DEREGISTRATION")).toBe(0);
    expect(await gateway.stop()).toBe(0);
    await eventually("De-register", () => heard("DEREGISTRATION") === 1);
    expect(await server.client(ENDPOINT)).toBeUndefined();
  });
});
