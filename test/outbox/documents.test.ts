import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../src/base/log.js";
import { Database } from "../../src/outbox/database.js";
import { Documents } from "../../src/outbox/documents.js";
import { FakeClock } from "../fakes/clock.js";

let folder: string;
let clock: FakeClock;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "causeway-documents-"));
  clock = new FakeClock();
});
afterEach(() => rm(folder, { recursive: true }));

async function open(): Promise<{ database: Database; documents: Documents }> {
  const database = await Database.open(join(folder, "state.db"), silentLog, clock.nowMs());
  return { database, documents: await Documents.open(database, clock, silentLog) };
}

/** What a process finds that starts after this one was killed. */
async function found(endpoint: string): Promise<Readonly<Record<string, unknown>>> {
  const { database, documents } = await open();
  const registrations = Object.fromEntries(documents.of(endpoint).load("registrations"));
  await database[Symbol.asyncDispose]();
  return registrations;
}

describe("documents", () => {
  it("are there again after a restart, each endpoint's own", async () => {
    const { database, documents } = await open();
    documents.of("a").put("registrations", "1", { location: ["rd", "x"], untilMs: 5 });
    documents.of("a").put("attributes", "1", { pmin: 1 });
    documents.of("b").put("registrations", "1", { location: ["rd", "y"] });
    await documents[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
    expect(await found("a")).toEqual({ "1": { location: ["rd", "x"], untilMs: 5 } });
    expect(await found("b")).toEqual({ "1": { location: ["rd", "y"] } });
    expect(await found("c")).toEqual({});
  });

  it("are on disk when commit resolves, and within half a second without it", async () => {
    const { database, documents } = await open();
    const state = documents.of("a");
    state.put("registrations", "1", 1);
    await state.commit();
    expect(await found("a")).toEqual({ "1": 1 });
    state.put("registrations", "1", 2);
    state.put("registrations", "2", 2);
    state.remove("registrations", "2");
    await clock.advance(500);
    await state.commit();
    expect(await found("a")).toEqual({ "1": 2 });
    await documents[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  it("of endpoints that are gone are forgotten", async () => {
    const { database, documents } = await open();
    documents.of("a").put("registrations", "1", 1);
    documents.of("b").put("registrations", "1", 1);
    documents.keepEndpoints(new Set(["b"]));
    expect(documents.of("a").load("registrations").size).toBe(0);
    await documents[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
    expect(await found("a")).toEqual({});
    expect(await found("b")).toEqual({ "1": 1 });
  });

  it("wait in memory while the disk refuses, and say so", async () => {
    const { database, documents } = await open();
    await database.exec("ALTER TABLE documents RENAME TO elsewhere");
    const state = documents.of("a");
    state.put("registrations", "1", 1);
    await expect(state.commit()).rejects.toMatchObject({ code: "OUTBOX_UNAVAILABLE" });
    await database.exec("ALTER TABLE elsewhere RENAME TO documents");
    await state.commit();
    expect(await found("a")).toEqual({ "1": 1 });
    await documents[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
});
