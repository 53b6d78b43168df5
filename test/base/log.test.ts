import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8Decode } from "../../src/base/bytes.js";
import { didYouMean } from "../../src/base/did-you-mean.js";
import { CausewayError, ERROR_TABLE, toError } from "../../src/base/errors.js";
import { createLog, tee } from "../../src/base/log.js";

describe("log", () => {
  function lines(write: (log: ReturnType<typeof createLog>) => void, format: "plain" | "journald" = "plain"): string[] {
    const out: string[] = [];
    write(createLog("info", (line) => out.push(line), format));
    return out;
  }

  it("writes facts as fields and the chain of causes", () => {
    const error = new CausewayError("LINK_FAILED", "bus 'a'", { cause: new Error("EIO") });
    const [line = "{}"] = lines((log) => log.child({ bus: "a" }).warn("bus failed", { error, attempt: 2 }));
    expect(JSON.parse(line)).toMatchObject({ msg: "bus failed", bus: "a", attempt: 2, error: "bus 'a' ← EIO" });
  });

  it("never shows a secret", () => {
    const [line = ""] = lines((log) => log.info("account", { psk: "s3cret", security: { key: "s3cret" } }));
    expect(line).not.toContain("s3cret");
  });

  it("leaves out what is below its level", () => {
    expect(lines((log) => log.debug("no"))).toEqual([]);
  });

  it("starts with the journal's priority under systemd", () => {
    const out = lines((log) => {
      log.error("e");
      log.warn("w");
      log.info("i");
    }, "journald");
    expect(out.map((line) => line.slice(0, 3))).toEqual(["<3>", "<4>", "<6>"]);
  });
});

describe("tee", () => {
  it("tells of what is at info or above, with the facts of all children and without secrets", () => {
    const events: string[] = [];
    const out: string[] = [];
    const log = tee(
      createLog("error", (line) => out.push(line)),
      ({ level, message, facts }) => events.push(`${level} ${message} ${facts}`),
    );
    log.debug("no");
    log.info("gateway started");
    log
      .child({ server: 1 })
      .child({ token: "s3cret" })
      .warn("lost", { error: new Error("EIO"), count: 2n });
    log.error("failed");
    expect(events).toEqual([
      "info gateway started ",
      'warn lost {"server":1,"token":"***","count":"2","error":"EIO"}',
      "error failed ",
    ]);
    expect(out.map((line) => JSON.parse(line).msg)).toEqual(["failed"]);
  });
});

describe("errors", () => {
  it("every entry tells what and what to do, in sentences", () => {
    for (const { what, remedy, coap } of Object.values(ERROR_TABLE)) {
      expect(what).toMatch(/\.$/);
      expect(remedy).toMatch(/\.$/);
      expect(coap).toMatch(/^[45]\.\d\d$/);
    }
  });

  it("plain objects that libraries throw become errors", () => {
    expect(toError({ name: "TransactionTimedOutError", message: "Timed out" }).message).toBe("Timed out");
    expect(toError("text").message).toBe("text");
  });
});

it("hex and text", () => {
  expect(toHex(fromHex("01 ff 7A"))).toBe("01ff7a");
  expect(() => fromHex("0g")).toThrow(RangeError);
  expect(utf8Decode(new Uint8Array([0xff]))).toBeUndefined();
});

it.each([
  ["regster", ["register", "table"], "register"],
  ["VOLTAGE", ["voltage"], "voltage"],
  ["xyz", ["register"], undefined],
])("did you mean: %s", (word, words, expected) => {
  expect(didYouMean(word, words)).toBe(expected);
});
