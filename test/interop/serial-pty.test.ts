import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { checksumOf } from "../../adapters/serial/checksum.js";
import serialAdapter from "../../adapters/serial/index.js";
import { listenForProfiles } from "../../adapters/serial/listen-scan.js";
import type { SerialLinkOptions } from "../../adapters/serial/options.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { type Field, openField } from "../../src/field/field.js";
import type { Line } from "../../src/field/line.js";
import type { Reading } from "../../src/field/reading.js";
import { openSerialLine } from "../../src/field/serial-line.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import { profileCandidate } from "../../src/mapping/candidate.js";
import type { Profile } from "../../src/mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../../src/mapping/profiles.js";
import { Programs, until } from "./modbus-programs.js";

const forever = new AbortController().signal;
const SETTINGS = { baudRate: 9600, dataBits: 8, parity: "none", stopBits: 1 } as const;
const latin = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const GGA = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n";

let shelf: ProfileShelf;
beforeAll(async () => {
  shelf = await ProfileShelf.open([shippedMappings()], new Map([["serial", serialAdapter]]), await loadModels());
});

async function shipped(name: string): Promise<Profile> {
  const profile = (await shelf.read(name))?.profile;
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profile;
}

let programs: Programs;
let scope: Scope;
let told: Reading[];
let field: Field;
beforeEach(() => {
  programs = new Programs();
  scope = new Scope((error) => {
    throw error;
  });
  told = [];
});
afterEach(async () => {
  await scope[Symbol.asyncDispose]();
  await programs[Symbol.asyncDispose]();
});

async function open(options: SerialLinkOptions, name: string): Promise<void> {
  const { traits, points } = await shipped(name);
  field = await openField(
    {
      links: [{ name: "line", adapter: "serial", options }],
      devices: [
        {
          name: "device",
          link: "line",
          address: new Map(),
          traits,
          points: [...points.values()].map(({ point }) => point),
          poll: { fastMs: 100, normalMs: 200, slowMs: 500 },
        },
      ],
      loadAdapter: async () => serialAdapter,
      clock: systemClock,
      log: silentLog,
      onReadings: (_, readings) => told.push(...readings),
    },
    scope,
  );
}

const bus = () => field.status().buses[0];
const isGood = (point: string) => told.some((reading) => reading.point === point && reading.quality === "good");

/** A device at the far end of the pty that says something again and again. */
async function speaker(path: string, text: string): Promise<Line> {
  const line = scope.use(await openSerialLine({ path, ...SETTINGS }, forever));
  const timer = setInterval(() => line.write(latin(text)), 20);
  scope.defer(() => clearInterval(timer));
  return line;
}

describe("a serial port", () => {
  it("that is pulled out in the middle of a frame and comes back is heard again", async () => {
    const first = await programs.ptyPair("gps");
    await open({ port: first.near, ...SETTINGS }, "nmea-0183-gps");
    const device = await speaker(first.far, GGA);
    await until(() => isGood("latitude"));
    device.write(latin(GGA.slice(0, 30)));
    await first.unplug();
    await until(() => bus()?.state === "down");
    await until(() => told.some(({ quality }) => quality === "stale"));
    told.length = 0;
    const again = await programs.ptyPair("gps");
    await speaker(again.far, `\x00\xff$GP*\r\n${GGA}`);
    await until(() => isGood("latitude"));
    expect(bus()).toMatchObject({ state: "up", opened: 2 });
  });

  it("that goes while its bytes are being read is noticed, not read for ever", async () => {
    const CHATTER = new Uint8Array(200).fill(0x55);
    for (let round = 0; round < 10; round++) {
      const { near, far, unplug } = await programs.ptyPair(`chatter-${round}`);
      const line = scope.use(await openSerialLine({ path: near, ...SETTINGS }, forever));
      const device = scope.use(await openSerialLine({ path: far, ...SETTINGS }, forever));
      let gone = false;
      void Promise.all([line.closed, device.closed]).then(() => {
        gone = true;
      });
      line.listen(() => device.write(CHATTER));
      device.write(CHATTER);
      await unplug();
      await until(() => gone);
      expect((await line.closed).code).toBe("LINK_CLOSED");
    }
  });

  it("changes its rate in the middle of a dialogue", async () => {
    const { near, far } = await programs.ptyPair("meter");
    const meter = scope.use(await openSerialLine({ path: far, ...SETTINGS }, forever));
    const requests: string[] = [];
    const data = "1.8.0(000123.456*kWh)\r\n2.8.0(000000.000*kWh)\r\n!\r\n\x03";
    const block = Uint8Array.of(2, ...latin(data), checksumOf(latin(data), "xor"));
    meter.listen((bytes) => {
      const request = Buffer.from(bytes).toString("latin1");
      requests.push(request);
      if (request === "/?!\r\n") meter.write(latin("/LOG5LK13BD202001\r\n"));
      // IEC 62056-21 §6.4.2: no earlier than 200 ms after the acknowledgement; a port drops what comes as it changes.
      if (request.startsWith("\x06")) setTimeout(() => meter.write(block), 200);
    });
    await open({ port: near, baudRate: 300, dataBits: 7, parity: "even" }, "iec62056-21-meter");
    await until(() => isGood("importEnergy"));
    const good = told.filter(({ point, quality }) => point === "importEnergy" && quality === "good");
    expect(good[0]).toMatchObject({ value: 123.456 });
    expect(requests.slice(0, 2)).toEqual(["/?!\r\n", "\x06050\r\n"]);
    await until(() => requests.length >= 4);
    expect(requests[2]).toBe("/?!\r\n");
  });

  it("tells which profile's device speaks there", async () => {
    const { near, far } = await programs.ptyPair("unknown");
    await speaker(far, GGA);
    const names = shelf.names.filter((name) => shelf.adapterOf(name) === "serial");
    const profiles = (await Promise.all(names.map(shipped))).map(profileCandidate) as never[];
    const rates: number[] = [];
    const context = { clock: systemClock };
    const heard = await listenForProfiles(near, 500, profiles, context, (rate) => rates.push(rate), forever);
    expect(heard).toMatchObject([{ profile: "nmea-0183-gps", baudRate: 9600 }]);
    expect(rates).toEqual([9600]);
  });
});

describe("a serial server", () => {
  it("is a line, too, and is reached again when it hung up", async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("data", (bytes) => String(bytes).includes("SI") && socket.write("S S     100.00 g\r\n"));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    scope.defer(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const address = server.address();
    await open({ host: "127.0.0.1", port: typeof address === "object" ? (address?.port ?? 0) : 0 }, "mt-sics-scale");
    await until(() => isGood("weight"));
    for (const socket of sockets) socket.destroy();
    await until(() => bus()?.state === "down");
    told.length = 0;
    await until(() => isGood("weight"));
    expect(bus()?.opened).toBe(2);
  });
});
