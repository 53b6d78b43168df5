import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ProfileHead, profileHeadOf } from "../../src/mapping/profile-names.js";

let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), "causeway-")), "m.yaml");
});
afterEach(() => rm(join(file, ".."), { recursive: true }));

async function headIn(text: string): Promise<ProfileHead | undefined> {
  await writeFile(file, text);
  return profileHeadOf(file);
}

describe("the names at the head of a mapping file", () => {
  it.each<[string, string, readonly [line: number, column: number], readonly string[]]>([
    [
      "of a block",
      "# a file\nprofile: meter # its name\nadapter: modbus\nreplaces:\n  - old\n  - 'older'\n",
      [2, 10],
      ["old", "older"],
    ],
    [
      "with CR LF",
      "profile: meter\r\nadapter: modbus\r\nreplaces:\r\n  - old\r\n  - older\r\n",
      [1, 10],
      ["old", "older"],
    ],
    ["behind a byte order mark", "\uFEFFprofile: meter\nadapter: modbus\n", [1, 11], []],
    ["in flow style", "{ profile: meter,\n  adapter: modbus,\n  replaces: [a, b] }", [1, 12], ["a", "b"]],
    ["in JSON", '{\n  "profile": "meter",\n  "adapter": "modbus",\n  "replaces": ["a", "b"]\n}', [2, 15], ["a", "b"]],
  ])("%s", async (_, text, [line, column], replaces) => {
    const at = { file, line, column };
    expect(await headIn(text)).toEqual({ profile: "meter", adapter: "modbus", replaces, file, at });
  });

  it.each([
    ["of many blank lines", "\n".repeat(300_000)],
    ["of many spaces", `${" ".repeat(200)}\n`.repeat(20_000)],
    ["of braces", "{".repeat(300_000)],
    ["that is empty", ""],
  ])("are not looked for without end in a file %s", async (_, text) => {
    expect(await headIn(text)).toBeUndefined();
    expect((await headIn(`${text}\nprofile: meter\nreplaces:${text}`))?.profile).toBe("meter");
  });
});
