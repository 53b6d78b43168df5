import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../src/base/log.js";
import type { ResourceType, Value } from "../../src/lwm2m/value.js";
import { Database, StateLock } from "../../src/outbox/database.js";
import { Outbox, type OutboxLimits, type Queue } from "../../src/outbox/outbox.js";
import { FakeClock } from "../fakes/clock.js";

const GIBIBYTE = 1024 ** 3;
const WIDE: OutboxLimits = { maxBytes: GIBIBYTE, maxAgeMs: 1e12, overflow: "drop-oldest" };
const ENDPOINT = "gw";
const FIRST: Queue = { endpoint: ENDPOINT, shortServerId: 1 };
const SECOND: Queue = { endpoint: ENDPOINT, shortServerId: 2 };

let folder: string;
let clock: FakeClock;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "causeway-outbox-"));
  clock = new FakeClock();
});
afterEach(() => rm(folder, { recursive: true }));

async function open(
  queues: readonly Queue[] = [FIRST],
  limits = WIDE,
): Promise<{ database: Database; outbox: Outbox }> {
  const database = await Database.open(join(folder, "state.db"), silentLog, clock.nowMs());
  return { database, outbox: await Outbox.open(database, queues, limits, clock, silentLog) };
}

function append(outbox: Outbox, value: Value, type: ResourceType = "float", atMs = clock.nowMs()): void {
  outbox.append({ endpoint: ENDPOINT, path: [3303, 0, 5700], type, value, atMs });
}

describe("outbox", () => {
  it.each<[ResourceType, Value]>([
    ["float", 0.1],
    ["float", -1e-300],
    ["integer", -5],
    ["integer", 9007199254740993n],
    ["unsigned", 18446744073709551615n],
    ["boolean", true],
    ["boolean", false],
    ["string", "Küche"],
    ["opaque", new Uint8Array([0, 255, 7])],
    ["time", 1767225600],
    ["objlnk", { objectId: 3303, instanceId: 2 }],
  ])("keeps a %s exactly: %s", async (type, value) => {
    const { outbox } = await open();
    append(outbox, value, type);
    await outbox.commit();
    const [sample] = await outbox.head(FIRST, 10);
    expect(sample).toEqual({ id: 1, endpoint: ENDPOINT, path: [3303, 0, 5700], type, value, atMs: clock.nowMs() });
  });

  it("keeps the prefix of a device behind the gateway", async () => {
    const { outbox } = await open();
    const sample = { path: [3303, 0, 5700], type: "float", value: 1, atMs: clock.nowMs() } as const;
    outbox.append({ endpoint: ENDPOINT, prefix: "d01", ...sample });
    await outbox.commit();
    expect(await outbox.head(FIRST, 1)).toMatchObject([{ prefix: "d01", path: [3303, 0, 5700] }]);
  });

  it("gives up what is left of instances that are gone, and nothing else", async () => {
    const { outbox } = await open();
    for (const instanceId of [0, 1, 2]) {
      const path = [3303, instanceId, 5700];
      outbox.append({ endpoint: ENDPOINT, path, type: "float", value: instanceId, atMs: clock.nowMs() });
    }
    await outbox.commit();
    await outbox.keepExposed(({ endpoint, path }) => endpoint === ENDPOINT && path[1] !== 1);
    expect((await outbox.head(FIRST, 10)).map(({ value }) => value)).toEqual([0, 2]);
    expect((await outbox.counters()).dropped).toBe(1);
  });

  it("gives up what is left of devices whose prefix is gone, and nothing else", async () => {
    const { outbox } = await open();
    const sample = { endpoint: ENDPOINT, path: [3303, 0, 5700], type: "float", value: 1, atMs: clock.nowMs() } as const;
    for (const prefix of ["d01", "d02", undefined]) {
      outbox.append({ ...sample, ...(prefix === undefined ? {} : { prefix }) });
    }
    await outbox.commit();
    await outbox.keepExposed(({ prefix }) => prefix !== "d01");
    expect((await outbox.head(FIRST, 10)).map(({ prefix }) => prefix)).toEqual(["d02", undefined]);
    expect((await outbox.counters()).dropped).toBe(1);
  });

  it("takes over what an older version has left, which knew no prefixes", async () => {
    const path = join(folder, "state.db");
    const old = await Database.open(path, silentLog, 0);
    await old.exec(`ALTER TABLE samples DROP COLUMN prefix; DROP TABLE documents; PRAGMA user_version = 1;
      INSERT INTO samples VALUES (1, '${ENDPOINT}', 5, '/3303/0/5700', 'float', 21.5);`);
    await old[Symbol.asyncDispose]();
    const { outbox } = await open();
    const sample = { id: 1, endpoint: ENDPOINT, path: [3303, 0, 5700], type: "float", value: 21.5, atMs: 5 };
    expect(await outbox.head(FIRST, 10)).toEqual([sample]);
  });

  it("has every sample on disk within a second without being asked", async () => {
    const { outbox } = await open();
    for (let n = 0; n < 30; n++) {
      append(outbox, n);
      await clock.advance(100);
      // Through the queue of statements, so what the clock set going is done.
      await outbox.counters();
    }
    const { buffered, uncommitted, appended } = await outbox.counters();
    expect(buffered + uncommitted).toBe(appended);
    expect(uncommitted).toBeLessThanOrEqual(9);
  });

  it("never writes what all servers have by the time of the commit", async () => {
    const { outbox } = await open();
    outbox.settleBy(() => (sample) => sample.value !== 7);
    for (let n = 0; n < 30; n++) append(outbox, n);
    await outbox.commit();
    expect((await outbox.head(FIRST, 100)).map((sample) => sample.value)).toEqual([7]);
  });

  it("delivers in order, and gives a settled sample to nobody again, also after a restart", async () => {
    const before = await open();
    for (let n = 0; n < 1200; n++) append(before.outbox, n);
    await before.outbox.commit();
    const head = await before.outbox.head(FIRST, 1000);
    expect(head.map((sample) => sample.value)).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    await before.outbox.settle(FIRST, head.at(-1)?.id ?? 0, 1000);
    await before.database[Symbol.asyncDispose]();

    const after = await open();
    expect((await after.outbox.head(FIRST, 1000)).map((sample) => sample.value)).toEqual(
      Array.from({ length: 200 }, (_, n) => 1000 + n),
    );
    expect(await after.outbox.counters()).toMatchObject({ appended: 1200, buffered: 200 });
  });

  it("keeps a sample until every server has settled it", async () => {
    const { outbox } = await open([FIRST, SECOND]);
    append(outbox, 1);
    await outbox.commit();
    await outbox.settle(FIRST, 1, 1);
    expect(await outbox.head(FIRST, 10)).toHaveLength(0);
    expect(await outbox.head(SECOND, 10)).toHaveLength(1);
    await outbox.settle(SECOND, 1, 1);
    expect((await outbox.counters()).buffered).toBe(0);
  });

  it("forgets the position of a server that is no longer configured, so its samples go", async () => {
    const before = await open([FIRST, SECOND]);
    append(before.outbox, 1);
    await before.outbox.commit();
    await before.outbox.settle(FIRST, 1, 1);
    await before.database[Symbol.asyncDispose]();

    const { outbox } = await open([FIRST]);
    append(outbox, 2);
    await outbox.commit();
    await outbox.settle(FIRST, 2, 1);
    expect((await outbox.counters()).buffered).toBe(0);
  });

  it.each(["drop-oldest", "drop-newest"] as const)(
    "stays within its size (%s) and counts what it drops",
    async (overflow) => {
      const { outbox } = await open([FIRST], { ...WIDE, maxBytes: 256 * 1024, overflow });
      const total = 20_000;
      for (let n = 0; n < total; n++) append(outbox, n);
      await outbox.commit();
      const { buffered, dropped } = await outbox.counters();
      expect(buffered + dropped).toBe(total);
      expect(dropped).toBeGreaterThan(0);
      const [first] = await outbox.head(FIRST, 1);
      expect(first?.value).toBe(overflow === "drop-oldest" ? dropped : 0);
    },
  );

  it("drops what is older than allowed", async () => {
    const { outbox } = await open([FIRST], { ...WIDE, maxAgeMs: 60_000 });
    append(outbox, 1);
    await clock.advance(61_000);
    append(outbox, 2);
    await outbox.commit();
    expect((await outbox.head(FIRST, 10)).map((sample) => sample.value)).toEqual([2]);
    expect((await outbox.counters()).dropped).toBe(1);
  });

  it("keeps samples in memory while the disk refuses, and writes them when it can", async () => {
    const { outbox, database } = await open();
    await database.exec("ALTER TABLE samples RENAME TO gone");
    append(outbox, 1);
    await outbox.commit();
    expect((await database.all("SELECT count(*) AS n FROM gone"))[0]?.["n"]).toBe(0);
    await database.exec("ALTER TABLE gone RENAME TO samples");
    await outbox.commit();
    expect(await outbox.head(FIRST, 10)).toHaveLength(1);
  });

  it("sets a damaged database aside and begins a new one", async () => {
    await writeFile(join(folder, "state.db"), "this is not a database".repeat(500));
    const { outbox } = await open();
    append(outbox, 1);
    await outbox.commit();
    expect(await outbox.head(FIRST, 10)).toHaveLength(1);
    expect((await readdir(folder)).some((name) => name.startsWith("state.db.corrupt-"))).toBe(true);
  });

  it("leaves alone what a later version has written", async () => {
    const path = join(folder, "state.db");
    const later = await Database.open(path, silentLog, 0);
    await later.exec("PRAGMA user_version = 99");
    await later[Symbol.asyncDispose]();
    await expect(Database.open(path, silentLog, 0)).rejects.toMatchObject({ code: "STATE_NEWER" });
    expect(await readdir(folder)).toEqual(["state.db"]);
  });

  it("is of one gateway at a time", async () => {
    const path = join(folder, "state.lock");
    const first = await StateLock.take(path);
    expect(await readdir(folder)).toEqual(["state.lock"]);
    expect((await stat(path)).size).toBe(0);
    await expect(StateLock.take(path, 0)).rejects.toMatchObject({ code: "STATE_IN_USE" });
    await first[Symbol.asyncDispose]();
    const second = await StateLock.take(path);
    await second[Symbol.asyncDispose]();
  });

  it("says what to do when the folder may not be used", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(Database.open(join(folder, "file", "state.db"), silentLog, 0)).rejects.toMatchObject({
      code: "OUTBOX_UNAVAILABLE",
    });
  });
});
