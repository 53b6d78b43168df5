import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { modbus } from "../../adapters/modbus/index.js";
import type { ModbusLinkOptions, ModbusPoint, ModbusStation } from "../../adapters/modbus/options.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { openField } from "../../src/field/field.js";
import {
  defineAdapter,
  type Finding,
  type Link,
  type Point,
  type Reading,
  type RegisterOrder,
  type RegisterType,
  type Scalar,
} from "../../src/field/index.js";
import { modbusPoint } from "../adapters/modbus/points.js";
import { freePort, Programs, until } from "./modbus-programs.js";

interface LaidOut {
  readonly type: RegisterType;
  readonly order: RegisterOrder;
  readonly register: number;
  readonly value: string;
}

const forever = new AbortController().signal;
const station = { name: "d", address: { unit: 1 }, traits: {} };
const SERIAL = { baudRate: 115200, responseTimeout: 300 } as const;

/** Gateways of every transport in front of a slave; the far end is started first. */
type Peer = readonly [
  string,
  Parameters<Programs["pymodbus"]>[0],
  (programs: Programs) => Promise<[ModbusLinkOptions, string]>,
];

const peers: readonly Peer[] = [
  [
    "Modbus TCP",
    "tcp",
    async () => {
      const port = await freePort();
      return [{ transport: "tcp", host: "127.0.0.1", port, responseTimeout: 300 }, String(port)];
    },
  ],
  [
    "RTU on a pty",
    "rtu",
    async (programs) => {
      const { near, far } = await programs.ptyPair("rtu");
      return [{ transport: "rtu", port: near, ...SERIAL }, far];
    },
  ],
  ["RTU over TCP", "rtu", (programs) => serialServer(programs, "rtu-over-tcp")],
];

async function serialServer(
  programs: Programs,
  transport: "rtu-over-tcp" | "ascii-over-tcp",
): Promise<[ModbusLinkOptions, string]> {
  const { near, far } = await programs.ptyPair(transport);
  const port = await freePort();
  const listen = `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`;
  await programs.start("/bin/sh", ["-c", `exec socat -d -d ${listen} ${near},raw,echo=0 2>&1`]);
  return [{ transport, host: "127.0.0.1", port, ...SERIAL }, far];
}

/** What libmodbus does not speak. */
const morePeers: readonly Peer[] = [
  [
    "ASCII on a pty",
    "ascii",
    async (programs) => {
      const { near, far } = await programs.ptyPair("ascii");
      return [{ transport: "ascii", port: near, ...SERIAL, dataBits: 8, parity: "none" }, far];
    },
  ],
  ["ASCII over TCP", "ascii", (programs) => serialServer(programs, "ascii-over-tcp")],
  [
    "Modbus over UDP",
    "udp",
    async () => {
      const port = await freePort();
      return [{ transport: "udp", host: "127.0.0.1", port, responseTimeout: 300 }, String(port)];
    },
  ],
  [
    "Modbus/TCP Security",
    "tls",
    async (programs) => {
      const port = await freePort();
      const { cert, key } = programs.certificate();
      const tls = { ca: cert, serverName: "localhost" };
      return [{ transport: "tls", host: "127.0.0.1", port, responseTimeout: 300, tls }, `${port}:${cert}:${key}`];
    },
  ],
];

async function connect(options: ModbusLinkOptions): Promise<Link<ModbusStation, ModbusPoint>> {
  let link: Link<ModbusStation, ModbusPoint> | undefined;
  await until(async () => {
    link = await modbus
      .open(
        options,
        { name: "l", clock: systemClock, log: silentLog, secret: (text: string) => Promise.resolve(text) },
        forever,
      )
      .catch(() => undefined);
    return link !== undefined;
  });
  if (link === undefined) throw new Error("no link");
  return link;
}

async function readOne(link: Link<ModbusStation, ModbusPoint>, point: Point<ModbusPoint>, unit = 1): Promise<Reading> {
  const [reading] = await link.read({ ...station, address: { unit } }, [point], forever);
  if (reading === undefined) throw new Error("no reading");
  return reading;
}

describe.each([...peers, ...morePeers])("pymodbus, %s", (_, transport, prepare) => {
  let programs: Programs;
  let link: Link<ModbusStation, ModbusPoint>;
  let layout: readonly LaidOut[];

  beforeAll(async () => {
    programs = new Programs();
    const [options, place] = await prepare(programs);
    layout = JSON.parse(await programs.pymodbus(transport, place));
    link = await connect(options);
    // A pty is there before its slave listens.
    await until(
      async () => (await readOne(link, modbusPoint("p", "holding", 0, { type: "uint16" }))).quality === "good",
    );
  });

  afterAll(async () => {
    await link[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
  });

  const pointOf = (table: "holding" | "input", { type, order, register, value }: LaidOut): Point<ModbusPoint> =>
    modbusPoint(
      `${type} ${order}`,
      table,
      register,
      type === "string" ? { type, length: value.length / 2 } : { type, order },
    );

  it.each(["holding", "input"] as const)("reads every type in every order: %s", async (table) => {
    const readings = await link.read(
      station,
      layout.map((entry) => pointOf(table, entry)),
      forever,
    );
    const found = Object.fromEntries(readings.map(({ point, value }) => [point, String(value)]));
    expect(found).toEqual(Object.fromEntries(layout.map(({ type, order, value }) => [`${type} ${order}`, value])));
  });

  it("reads coils and discrete inputs", async () => {
    const points = [0, 1, 2, 3, 39].flatMap((register) => [
      modbusPoint(`c${register}`, "coil", register),
      modbusPoint(`d${register}`, "discrete", register),
    ]);
    for (const { point, value } of await link.read(station, points, forever)) {
      expect([point, value]).toEqual([point, Number(point.slice(1)) % 3 === 0]);
    }
  });

  const written: Partial<Record<RegisterType, Scalar>> = {
    int16: -7,
    uint16: 65535,
    int32: -2,
    uint32: 0xfffffffe,
    int64: -(2n ** 62n),
    uint64: 2n ** 63n + 1n,
    float32: 0.25,
    float64: -1e-9,
    string: "changed!",
  };
  it("writes every type in every order and reads it back", async () => {
    for (const entry of layout) {
      const point = pointOf("holding", entry);
      const value = written[entry.type] ?? 0;
      await link.write(station, point, value, forever);
      expect(await readOne(link, point)).toMatchObject({ quality: "good", value });
    }
  });

  it("writes coils, alone and by FC15, and single bits of a register", async () => {
    for (const point of [
      modbusPoint("a", "coil", 1),
      modbusPoint("b", "coil", 2, { write: { function: "multiple" } }),
    ]) {
      await link.write(station, point, true, forever);
      expect(await readOne(link, point)).toMatchObject({ value: true });
    }
    await link.write(station, modbusPoint("w", "holding", 0, { type: "uint16" }), 0xf00f, forever);
    await link.write(
      station,
      modbusPoint("n", "holding", 0, { type: "uint16", bits: { at: 4, width: 4 } }),
      5,
      forever,
    );
    expect(await readOne(link, modbusPoint("w", "holding", 0, { type: "uint16" }))).toMatchObject({ value: 0xf05f });
  });

  it("changes bits with FC22, and writes with FC23 what it reads back in the same answer", async () => {
    await link.write(station, modbusPoint("w", "holding", 0, { type: "uint16" }), 0xf00f, forever);
    const masked = modbusPoint("m", "holding", 0, {
      type: "uint16",
      bits: { at: 4, width: 4 },
      write: { function: "mask" },
    });
    await link.write(station, masked, 5, forever);
    expect(await readOne(link, modbusPoint("w", "holding", 0, { type: "uint16" }))).toMatchObject({ value: 0xf05f });
    const both = modbusPoint("b", "holding", 0, { type: "uint32", write: { function: "read-write" } });
    await link.write(station, both, 0x12345678, forever);
    expect(await readOne(link, both)).toMatchObject({ value: 0x12345678 });
  });

  it("reports a refused read, a refused write and a silent unit as what they are", async () => {
    const beyond = modbusPoint("p", "holding", 5000, { type: "uint16" });
    expect(await readOne(link, beyond)).toMatchObject({
      quality: "unsupported",
      reason: "exception 2, illegal data address",
    });
    await expect(link.write(station, beyond, 1, forever)).rejects.toMatchObject({
      code: "FIELD_EXCEPTION",
      facts: { exception: 2 },
    });
    const present = modbusPoint("p", "holding", 1, { type: "uint16" });
    expect(await readOne(link, present, 9)).toMatchObject({ quality: "timeout" });
    expect(await readOne(link, present)).toMatchObject({ quality: "good" });
  });
});

describe("causeway scan modbus", () => {
  it("is told by pymodbus who it is", async () => {
    const programs = new Programs();
    const port = await freePort();
    await programs.pymodbus("tcp", String(port));
    const rows: Finding[] = [];
    const context = { clock: systemClock, log: silentLog, profiles: [], progress: () => undefined };
    const args = { values: { host: "127.0.0.1", port: String(port), ids: "1", timeout: "500" }, positionals: [] };
    await until(async () => {
      await (await modbus.scan?.())
        ?.run(args, { ...context, found: (...some) => void rows.push(...some) }, forever)
        .catch(() => undefined);
      return rows.length > 0;
    });
    expect(rows).toMatchObject([{ unit: 1, vendor: "Interop", product: "PY-1", revision: "3.0" }]);
    await programs[Symbol.asyncDispose]();
  });
});

describe.each(peers)("libmodbus, %s", (_, protocol, prepare) => {
  const transport = protocol === "rtu" ? "rtu" : "tcp";

  it("reads and writes all tables", async () => {
    const programs = new Programs();
    const [options, place] = await prepare(programs);
    await programs.libmodbus(transport, place);
    const link = await connect(options);
    const points = [
      modbusPoint("coil", "coil", 31),
      modbusPoint("discrete", "discrete", 31),
      modbusPoint("holding", "holding", 31, { type: "uint16" }),
      modbusPoint("input", "input", 31, { type: "uint16" }),
    ];
    const readings = await link.read(station, points, forever);
    expect(readings.map(({ value }) => value)).toEqual([true, false, 31, 1031]);
    for (const point of [
      modbusPoint("a", "coil", 0),
      modbusPoint("b", "coil", 2, { write: { function: "multiple" } }),
    ]) {
      await link.write(station, point, true, forever);
      expect(await readOne(link, point)).toMatchObject({ value: true });
    }
    for (const type of ["uint16", "float32", "float64"] as const) {
      const point = modbusPoint("p", "holding", 4, { type });
      await link.write(station, point, 1234, forever);
      expect(await readOne(link, point)).toMatchObject({ quality: "good", value: 1234 });
    }
    expect(await readOne(link, modbusPoint("p", "holding", 32, { type: "uint16" }))).toMatchObject({
      quality: "unsupported",
    });
    const many = Array.from({ length: 32 }, (_, index) => modbusPoint(`r${index}`, "input", index, { type: "uint16" }));
    for (let poll = 0; poll < 200; poll++) {
      const values = (await link.read(station, many, forever)).map(({ value }) => value);
      expect(values).toEqual(many.map((_, index) => 1000 + index));
    }
    await link[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
  });
});

describe("stations that the adapter simulates", () => {
  it.each(["rtu", "ascii"] as const)("speak %s on a real port", async (transport) => {
    const programs = new Programs();
    const { near, far } = await programs.ptyPair(transport);
    const context = { name: "l", clock: systemClock, log: silentLog, secret: (text: string) => Promise.resolve(text) };
    const point = modbusPoint("p", "holding", 3, { type: "float32" });
    const simulated = await modbus.simulate?.(
      { transport, port: far, ...SERIAL },
      [{ station, points: [point] }],
      context,
    );
    simulated?.set("d", "p", 230.5);
    const link = await connect({ transport, port: near, ...SERIAL });
    expect(await readOne(link, point)).toMatchObject({ quality: "good", value: 230.5 });
    await link[Symbol.asyncDispose]();
    await simulated?.[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
  });
});

describe("a serial port that is unplugged", () => {
  const programs = new Programs();
  const scope = new Scope((error) => {
    throw error;
  });

  afterEach(async () => {
    await scope[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
  });

  it("is opened again when it is back", async () => {
    const told: Reading[] = [];
    const { near, far, unplug } = await programs.ptyPair("usb");
    await programs.pymodbus("rtu", far);
    const field = await openField(
      {
        links: [{ name: "bus", adapter: "modbus", options: { transport: "rtu", port: near, ...SERIAL } }],
        devices: [
          {
            name: "d",
            link: "bus",
            address: { unit: 1 },
            traits: {},
            points: [modbusPoint("p", "holding", 10, { type: "int16" })],
            poll: { fastMs: 50, normalMs: 1000, slowMs: 1000 },
          },
        ],
        loadAdapter: async () => defineAdapter(modbus),
        clock: systemClock,
        log: silentLog,
        onReadings: (_, readings) => told.push(...readings),
      },
      scope,
    );
    const good = (): boolean => told.some(({ quality, value }) => quality === "good" && value === -12345);
    await until(good);
    await unplug();
    await until(() => field.status().buses[0]?.state === "down");
    await until(() => told.at(-1)?.quality === "stale");
    expect(field.status().buses[0]?.fault?.code).toMatch(/^LINK_/);
    told.length = 0;
    const again = await programs.ptyPair("usb");
    await programs.pymodbus("rtu", again.far);
    await until(good);
    expect(field.status().buses[0]).toMatchObject({ state: "up", opened: 2 });
  });
});
