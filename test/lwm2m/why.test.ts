import { describe, expect, it } from "vitest";
import { mergeAttributes, NO_ATTRIBUTES, parseAttributes } from "../../src/lwm2m/observation/attributes.js";
import { ruleOf } from "../../src/lwm2m/observation/observation.js";
import { parsePath } from "../../src/lwm2m/path.js";
import { type Explanation, sentenceOf, Why } from "../../src/lwm2m/why.js";
import { settle } from "../fakes/clock.js";
import { ObserverBench } from "../fakes/observer-bench.js";

const ORIGIN = { endpoint: "gw", server: 1 };

/** An Observer whose decisions are heard. */
function explained(delivery: "CON" | "NON" = "CON") {
  const why = new Why();
  const heard: Explanation[] = [];
  why.listen((explanation) => heard.push(explanation));
  let isProofDue = false;
  const bench = new ObserverBench({
    explainer: why.of(ORIGIN),
    defaults: () => ({ delivery }),
    isProofDue: () => isProofDue,
  });
  return {
    bench,
    heard,
    askProof: () => {
      isProofDue = true;
    },
    /** The sentences since the last call. */
    said: () => heard.splice(0).map((explanation) => sentenceOf(explanation).replace("notification of /3303/0", "")),
  };
}

function attach(bench: ObserverBench, path: string, ...attributes: string[]): void {
  bench.view.attributes.write(parsePath(path), parseAttributes(attributes));
  bench.observer.attributesChanged(bench.view, parsePath(path));
}

describe("why a notification is sent, or not", () => {
  it("names the condition, with its origin", async () => {
    const { bench, heard, said } = explained();
    bench.observe("/3303/0/5700");
    await bench.measure(21);
    expect(heard[0]).toEqual({
      ...ORIGIN,
      what: "notification",
      observed: "/3303/0/5700",
      path: "/3303/0/5700",
      verdict: "due",
      rule: "change",
    });
    expect(said()).toEqual(["/5700: due (change)", "/5700: sent CON (change)"]);
    await bench.measure(21);
    expect(said()).toEqual(["/5700: not sent (unchanged)"]);
  });

  it("says how long pmin and pmax let it wait", async () => {
    const { bench, said } = explained();
    attach(bench, "/3303/0/5700", "pmin=5", "pmax=60", "gt=30");
    bench.observe("/3303/0/5700");
    await bench.measure(25);
    await bench.measure(31);
    await bench.measure(32);
    expect(said()).toEqual([
      "/5700: not sent 59.0 s for pmax (unchanged)",
      "/5700: waits 3.0 s for pmin (gt)",
      "/5700: waits 2.0 s for pmin (gt)",
    ]);
    await bench.clock.advance(2000);
    expect(said()).toEqual(["/5700: sent CON (gt)"]);
    await bench.clock.advance(60_000);
    expect(said()).toEqual(["/5700: sent CON (pmax)"]);
  });

  it("tells of the notification before, of a server that is away, of a proof, of instances and of the end", async () => {
    const { bench, said, askProof } = explained("NON");
    bench.observe("/3303/0");
    bench.observer.pause();
    await bench.measure(22);
    await bench.measure(23);
    expect(said()).toEqual([
      "/5700 in /3303/0: waits for server (change)",
      "/5700 in /3303/0: waits for server (change)",
    ]);
    bench.observer.resume();
    await settle();
    askProof();
    await bench.measure(24);
    expect(said()).toEqual([
      ": sent NON (change)",
      "/5700 in /3303/0: due (change)",
      ": sent CON (change, proves the server)",
    ]);
    bench.tree.removeResource([3303, 0, 5700]);
    await settle();
    bench.tree.removeInstance(3303, 0);
    await settle();
    expect(said()).toEqual([": sent CON (structure, proves the server)", ": sent CON (ended)"]);
  });

  it("says how long epmin holds a value, and that the one of the day is confirmable", async () => {
    const { bench, said } = explained("NON");
    attach(bench, "/3303/0/5700", "epmin=5");
    bench.observe("/3303/0/5700");
    await bench.measure(21);
    await bench.measure(22);
    expect(said()).toEqual([
      "/5700: due (change)",
      "/5700: sent NON (change)",
      "/5700: waits 4.0 s for epmin (change)",
    ]);
    await bench.clock.advance(24 * 3_600_000);
    expect(said()).toEqual(["/5700: due (change)", "/5700: sent NON (change)"]);
    await bench.measure(23);
    expect(said()).toEqual(["/5700: due (change)", "/5700: sent CON (change, the one of the day)"]);
  });

  it("makes no reason while nobody listens", () => {
    const why = new Why();
    const explainer = why.of(ORIGIN);
    const listening = why.listen(() => undefined);
    expect(explainer.note).toBeDefined();
    listening[Symbol.dispose]();
    expect(explainer.note).toBeUndefined();
  });
});

describe("ruleOf names the first condition that is met", () => {
  const rule = (attributes: readonly string[], ...[before, value]: readonly [Before, number | boolean]) =>
    ruleOf(mergeAttributes(NO_ATTRIBUTES, parseAttributes(attributes)), before, value);
  type Before = number | boolean | undefined;
  it.each<[string, string[], Before, number | boolean]>([
    ["first", ["gt=5"], undefined, 1],
    ["change", [], 1, 2],
    ["change", ["pmin=1"], false, true],
    ["gt", ["gt=5", "st=1"], 4, 6],
    ["lt", ["gt=5", "lt=3"], 2, 4],
    ["st", ["st=2", "gt=90"], 1, 3],
    ["edge", ["edge=1"], false, true],
    ["unchanged", ["edge=0"], false, true],
    ["unchanged", ["st=2"], 1, 2],
    ["unchanged", [], 1, 1],
  ])("%s by %j", (expected, attributes, before, value) => {
    expect(rule(attributes, before, value)).toBe(expected);
  });
});

describe("sentences for people", () => {
  it.each<[Parameters<typeof sentenceOf>[0], string]>([
    [
      {
        what: "registration",
        event: "rejected 4.12",
        before: "registering",
        after: "registering",
        actions: ["register 1.1"],
      },
      "registration: rejected 4.12: registering, register 1.1",
    ],
    [
      { what: "registration", event: "due", before: "registered", after: "updating", actions: ["update"] },
      "registration: due: registered → updating, update",
    ],
    [
      { what: "refusal", request: "PUT /3/0/0", code: "4.05", because: "/3/0/0 cannot be written" },
      "PUT /3/0/0: 4.05, /3/0/0 cannot be written",
    ],
  ])("%#", (reason, sentence) => {
    expect(sentenceOf(reason)).toBe(sentence);
  });
});
