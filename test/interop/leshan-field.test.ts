import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Value } from "../../src/lwm2m/value.js";
import { Child, eventually } from "./child.js";
import { LOUNGE_KEY, THERMOSTAT } from "./field-ble.js";
import { OUTAGES } from "./field-outages.js";
import { type FieldDevice, pathOf } from "./field-part.js";
import { REFUSALS } from "./field-refusals.js";
import { modbusSimulator } from "./field-simulated.js";
import { endpointOf, type Field, FieldSite, HUB } from "./field-site.js";
import { GatewayProcess } from "./gateway-process.js";
import type { LeshanNode, LeshanResponse } from "./leshan-server.js";

const PROGRAM = fileURLToPath(new URL("../../dist/src/main.js", import.meta.url));

/** 6042, measurement quality indicator. */
const GOOD = 4;
const STALE = 3;
/** pino's number. */
const WARN = 40;
/** What the log says of what the tests do to the field. */
const PROVOKED = ["not written", "device refuses points", "field link down"];
const ERROR_CODE = "/3/0/11";

interface Trial {
  readonly device: string;
  readonly points: readonly { readonly point: string; readonly verdict: string }[];
}

/** Profile, path, new value, and how the device comes to show it. */
const CHANGES: readonly (readonly [string, string, Value, (field: Field) => unknown])[] = [
  ["eastron-sdm120", "/3316/0/5700", 231.5, ({ modbus }) => modbus.field.set("eastron-sdm120", "voltage", 231.5)],
  ["tasmota-climate", "/3303/0/5700", 19.5, ({ mqtt }) => mqtt.field.set("tasmota-climate", "temperature", 19.5)],
  ["tasmota-at-mosquitto", "/3305/0/5800", 2100, ({ broker }) => broker.measure(2100, 2200)],
  ["mt-sics-scale", "/3322/0/5700", 101.5, ({ serial }) => serial.weigh(101.5)],
  ["bthome-climate", "/3303/0/5700", 24.97, ({ ble }) => ble.field.set("bthome-climate", "temperature", 24.97)],
  ["bthome-button", "/3300/0/5700", 150, ({ ble }) => ble.field.set("bthome-button", "count", 150)],
  [THERMOSTAT, "/3200/0/5500", false, ({ ble }) => ble.field.set(THERMOSTAT, "locked", false)],
];

describe("a device of each shipped profile at Leshan", () => {
  let site: FieldSite;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    site = await FieldSite.open();
    for (const [name, value] of Object.entries(site.field.ble.environment)) vi.stubEnv(name, value);
  });

  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await site?.[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
  });

  const deviceOf = (name: string): FieldDevice => {
    const device = site.devices.find((candidate) => candidate.name === name);
    if (device === undefined) throw new Error(`no ${name}`);
    return device;
  };
  const read = async (device: FieldDevice, path: string): Promise<unknown> =>
    (await site.server.read(endpointOf(device), path)).content?.value;
  const write = (device: FieldDevice, path: string, value: Value): Promise<LeshanResponse> =>
    site.server.ask("PUT", endpointOf(device), `${path}?format=TLV`, { id: Number(path.split("/").at(-1)), value });
  /** What `shown` of the devices is not what Leshan reads. */
  const differences = async (devices: readonly FieldDevice[]): Promise<readonly (readonly unknown[])[]> => {
    const found = devices.map(async (device) => {
      const answers: (readonly unknown[])[] = [];
      for (const [path, value] of Object.entries(device.shown)) {
        const given = await read(device, path);
        if (!isSame(given, value)) answers.push([device.name, path, value, given]);
      }
      return answers;
    });
    return (await Promise.all(found)).flat();
  };

  it("passes causeway test before the gateway runs", async () => {
    const args = ["test", "-c", site.configFile, "--json", "--seconds", "20"];
    await using child = new Child(process.execPath, [PROGRAM, ...args]);
    const code = await child.ended;
    const trials: readonly Trial[] = JSON.parse(child.lines[0] ?? "[]");
    const bad = trials.flatMap(({ device, points }) =>
      points.filter(({ verdict }) => verdict !== "good").map((point) => ({ device, ...point })),
    );
    expect({ code, bad, complaint: child.complaint }).toEqual({ code: 0, bad: [], complaint: "" });
    expect(trials.map(({ device }) => device)).toEqual(site.devices.map(({ name }) => name));
  });

  it("registers", async () => {
    gateway = await GatewayProcess.start(site.configFile);
    await Promise.all([HUB, ...site.devices.map(endpointOf)].map((endpoint) => site.server.registration(endpoint)));
  });

  it("is read", async () => {
    let left = await differences(site.devices);
    const isRead = async (): Promise<boolean> => {
      const devices = new Set(left.map(([name]) => name));
      left = await differences(site.devices.filter(({ name }) => devices.has(name)));
      return left.length === 0;
    };
    await eventually("all values are there", isRead, 20_000).catch(() => expect(left).toEqual([]));
  });

  it.each(CHANGES)("%s tells of a change of %s to %s", async (name, path, value, change) => {
    const endpoint = endpointOf({ name });
    const told = (): readonly unknown[] =>
      site.server.events
        .filter(({ kind }) => kind === "NOTIFICATION")
        .map(({ data }): { ep: string; res: string; val: LeshanNode } => JSON.parse(data))
        .filter(({ ep, res }) => ep === endpoint && res === path)
        .map(({ val }) => val.value);
    expect((await site.server.ask("POST", endpoint, `${path}/observe`)).status).toBe("CONTENT(205)");
    await change(site.field);
    await eventually(`${name} tells`, () => told().length > 0);
    expect(told()).toEqual([value]);
    await site.server.ask("DELETE", endpoint, `${path}/observe`);
  });

  it("takes what is written to each of its writable points", async () => {
    const wrong: unknown[] = [];
    const tryOut = async (device: FieldDevice): Promise<void> => {
      const profile = await site.profiles.read(device.profile);
      const writable = [...profile.points.values()].filter(({ point }) => point.access !== "r");
      const paths = new Map(writable.map(({ point }) => [pathOf(profile, point.name), point.access]));
      expect(new Set(device.writes.map(({ path }) => path)), device.name).toEqual(new Set(paths.keys()));
      for (const { path, value, raw, held } of device.writes) {
        const { status, errormessage } = await write(device, path, value);
        const found = {
          status,
          held: held(),
          ...(paths.get(path) === "rw" ? { shown: await read(device, path) } : {}),
        };
        const wanted = { status: "CHANGED(204)", held: raw, ...(paths.get(path) === "rw" ? { shown: value } : {}) };
        if (JSON.stringify(found) !== JSON.stringify(wanted)) {
          wrong.push({ device: device.name, path, value, wanted, found, errormessage });
        }
      }
    };
    await Promise.all(site.devices.map(tryOut));
    expect(wrong).toEqual([]);
  });

  it.concurrent.each([...new Set(REFUSALS.map(({ device }) => device))])(
    "%s is left as it is by what it does not take",
    async (name) => {
      const device = deviceOf(name);
      for (const { why, path, value, code, misbehave } of REFUSALS.filter((refusal) => refusal.device === name)) {
        const own = device.writes.filter((one) => one.path === path);
        const state = async (): Promise<unknown> => [await read(device, path), own.map(({ held }) => held())];
        // Whatever stood there before, what is refused would change it.
        for (const one of own.filter((candidate) => candidate.value !== value).slice(0, 1)) {
          expect((await write(device, path, one.value)).status, why).toBe("CHANGED(204)");
        }
        const before = await state();
        const behave = misbehave?.(site.field);
        const { status } = await write(device, path, value);
        const after = await state();
        behave?.();
        expect(status, why).toContain(`(${code})`);
        expect(after, why).toEqual(before);
        for (const one of own) {
          await eventually("it takes writes again", async () => (await write(device, path, one.value)).success);
          expect(one.held(), why).toEqual(one.raw);
        }
      }
    },
  );

  it("is left as it is when a part of a Write-Composite is refused", async () => {
    const board = deviceOf("relay-8");
    const paths = ["/3306/0/5850", "/3306/2/5850"];
    const state = async (): Promise<unknown> => [
      await Promise.all(paths.map((path) => read(board, path))),
      board.writes.map(({ held }) => held()),
    ];
    const before = await state();
    const values = await Promise.all(paths.map(async (path) => [path, (await read(board, path)) !== true]));
    const simulator = modbusSimulator(site.field.modbus);
    // Function, address: the second relay of the two.
    simulator.misbehave((_, pdu) => (pdu[0] === 5 && pdu[2] === 2 ? { kind: "exception", code: 2 } : undefined));
    const composite = (): Promise<LeshanResponse> =>
      site.server.ask("PUT", endpointOf(board), "/composite", Object.fromEntries(values));
    expect((await composite()).status).toBe("BAD_REQUEST(400)");
    expect(await state()).toEqual(before);
    simulator.misbehave(() => undefined);
    expect((await composite()).status).toBe("CHANGED(204)");
    expect(await Promise.all(paths.map((path) => read(board, path)))).toEqual(values.map(([, value]) => value));
  });

  it.each(OUTAGES)("$device says that its link is away, and is there again", async (outage) => {
    const { device: name, path, value } = outage;
    const device = deviceOf(name);
    const quality = (): Promise<unknown> => read(device, path.replace(/\d+$/, "6042"));
    const before = await read(device, path);
    const mend = await outage.cut(site.field);
    await eventually("the value is stale", async () => (await quality()) === STALE);
    expect(await read(device, path)).toBe(before);
    expect(await read(device, ERROR_CODE)).toContain("value=8");
    const [first] = device.writes;
    const writing = first === undefined ? undefined : write(device, first.path, first.value);
    await mend();
    outage.measure(site.field);
    if (writing !== undefined) expect((await writing).status).toBe("CHANGED(204)");
    expect(first?.held()).toEqual(first?.raw);
    await eventually("the new value is there", async () => (await read(device, path)) === value);
    expect(await quality()).toBe(GOOD);
    expect(await read(device, ERROR_CODE)).toContain("value=0");
  });

  it("ends its registrations with the gateway, which complained of nothing else", async () => {
    expect(await gateway.stop()).toBe(0);
    const gone = (): number => site.server.events.filter(({ kind }) => kind === "DEREGISTRATION").length;
    await eventually("the last De-register", () => gone() === site.devices.length + 1);
    const lines = gateway.log.split("\n").map((line): { level: number; msg: string } => JSON.parse(line));
    const warnings = lines.filter(({ level }) => level >= WARN).map(({ msg }) => msg);
    expect(warnings.filter((msg) => !PROVOKED.includes(msg))).toEqual([]);
    expect(gateway.log).not.toContain(LOUNGE_KEY);
  });
});

/** Leshan gives binary fractions as they are; those of hand are decimal. */
function isSame(given: unknown, value: Value): boolean {
  return typeof value === "number" ? Math.abs(Number(given) - value) <= 1e-9 * Math.abs(value) : given === value;
}
