import { rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { rtuFrame } from "../../adapters/modbus/crc.js";
import modbusAdapter from "../../adapters/modbus/index.js";
import { SlaveUnit } from "../../adapters/modbus/slave.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { openField } from "../../src/field/field.js";
import { openSerialLine } from "../../src/field/serial-line.js";
import { Programs, until } from "./modbus-programs.js";

const SETTINGS = { baudRate: 9600, dataBits: 8, parity: "none", stopBits: 1 } as const;
/** After so many in vain the pauses between attempts are at their longest. */
const ATTEMPTS = 3;
const REQUEST_BYTES = 8;
const LIMIT_MS = 30_000;

async function serveMeter(path: string, scope: Scope): Promise<void> {
  const unit = new SlaveUnit();
  unit.set("holding", 0, 230);
  const line = scope.use(await openSerialLine({ path, ...SETTINGS }, new AbortController().signal));
  let request = Buffer.alloc(0);
  line.listen((bytes) => {
    request = Buffer.concat([request, bytes]);
    if (request.length < REQUEST_BYTES) return;
    line.write(rtuFrame(1, unit.respond(request.subarray(1, -2))));
    request = Buffer.alloc(0);
  });
}

it(
  "an adapter that is plugged in again under another name is found by its id",
  async () => {
    await using programs = new Programs();
    await using scope = new Scope((error) => {
      throw error;
    });
    const byId = join(programs.folder, "usb-converter-if00-port0");
    // As udev does: another link takes the place of the one before.
    const link = async (port: string): Promise<void> => {
      await symlink(port, `${byId}.new`);
      await rename(`${byId}.new`, byId);
    };
    const first = await programs.ptyPair("ttyUSB0");
    await serveMeter(first.far, scope);
    await link(first.near);
    let values = 0;
    let attempts = 0;
    const field = await openField(
      {
        links: [{ name: "bus", adapter: "modbus", options: { transport: "rtu", port: byId, ...SETTINGS } }],
        devices: [
          {
            name: "meter",
            link: "bus",
            address: { unit: 1 },
            traits: {},
            points: [
              {
                name: "voltage",
                access: "r",
                pollClass: "normal",
                address: { at: { table: "holding", register: 0 }, type: "uint16" },
              },
            ],
            poll: { fastMs: 1000, normalMs: 10_000, slowMs: 60_000 },
          },
        ],
        loadAdapter: async () => modbusAdapter,
        clock: systemClock,
        log: silentLog,
        // The longest pauses that may be; drawn once for each.
        random: () => {
          attempts++;
          return 0;
        },
        onReadings: (_, readings) => {
          values += readings.filter((reading) => reading.quality === "good" && reading.value === 230).length;
        },
      },
      scope,
    );
    await until(() => values > 0);
    await first.unplug();
    await until(() => field.status().buses[0]?.state === "down");
    const second = await programs.ptyPair("ttyUSB1");
    await serveMeter(second.far, scope);
    attempts = 0;
    await until(() => attempts > ATTEMPTS);
    values = 0;
    const pluggedAtMs = performance.now();
    await link(second.near);
    await until(() => values > 0);
    process.stdout.write(`first value after ${Math.round(performance.now() - pluggedAtMs)} ms\n`);
    expect(field.status().buses[0]).toMatchObject({ state: "up", opened: 2 });
  },
  LIMIT_MS,
);
