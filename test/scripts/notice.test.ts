import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatIds, formatNotices, readNotice } from "../../scripts/notice.js";
import { packageRoot } from "../../src/base/package-root.js";

const MIT = `<!--
  Copyright 2017 Somebody
  Permission is hereby granted, free of charge, to any person DEALINGS
  IN THE SOFTWARE.
-->`;

describe("notices", () => {
  it("reads copyright and licence from the comments of a file", () => {
    expect(readNotice(MIT, 7)).toMatchObject({ objectId: 7, copyrights: ["Copyright 2017 Somebody"], licence: "MIT" });
  });

  it.each(["<a/>", "<!-- Copyright 2020 Somebody -->", MIT.replace("Copyright", "By")])("refuses %j", (xml) => {
    expect(readNotice(xml, 7)).toBeUndefined();
  });

  it("names each holder once with the objects, and each licence once", () => {
    const notices = [1, 2, 3, 9].flatMap((id) => readNotice(MIT, id) ?? []);
    const text = formatNotices(notices);
    expect(text).toContain("Copyright 2017 Somebody\n  MIT, objects 1-3, 9\n");
    expect(text.match(/Permission is hereby granted/g)).toHaveLength(1);
  });

  it.each([
    [[3], "3"],
    [[3, 1, 2, 7, 5, 6, 12], "1-3, 5-7, 12"],
  ])("writes %j as %s", (ids, text) => expect(formatIds(ids)).toBe(text));

  it("are shipped with the models", () => {
    const notice = readFileSync(join(packageRoot(), "NOTICE"), "utf8");
    expect(notice).toMatch(/Open Mobile Alliance[\s\S]*uCIFI[\s\S]*BSD-3-Clause[\s\S]*MIT[\s\S]*Apache-2\.0/);
  });
});
