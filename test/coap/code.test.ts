import { describe, expect, it } from "vitest";
import { ERROR_TABLE } from "../../src/base/errors.js";
import { Code, codeClass, formatCode, METHOD_CODE, methodOf, parseCode } from "../../src/coap/code.js";

describe("CoAP codes", () => {
  it.each([
    [Code.Empty, "0.00"],
    [Code.Get, "0.01"],
    [Code.IPatch, "0.07"],
    [Code.Created, "2.01"],
    [Code.Content, "2.05"],
    [Code.Continue, "2.31"],
    [Code.NotFound, "4.04"],
    [Code.RequestEntityIncomplete, "4.08"],
    [Code.PreconditionFailed, "4.12"],
    [Code.RequestEntityTooLarge, "4.13"],
    [Code.UnsupportedContentFormat, "4.15"],
    [Code.ProxyingNotSupported, "5.05"],
  ])("%i is %s", (code, text) => {
    expect(formatCode(code)).toBe(text);
    expect(parseCode(text)).toBe(code);
  });

  it.each(["", "4", "4.4", "8.00", "4.32", "x.04", "4.04 "])("refuses '%s'", (text) => {
    expect(() => parseCode(text)).toThrow(RangeError);
  });

  it("knows every method both ways", () => {
    for (const [method, code] of Object.entries(METHOD_CODE)) expect(methodOf(code)).toBe(method);
    expect(methodOf(Code.Empty)).toBeUndefined();
    expect(methodOf(8)).toBeUndefined();
  });

  it("gives every error of the table a response code of class 4 or 5", () => {
    for (const entry of Object.values(ERROR_TABLE)) expect([4, 5]).toContain(codeClass(parseCode(entry.coap)));
  });
});
