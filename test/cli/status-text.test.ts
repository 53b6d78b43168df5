import { describe, expect, it } from "vitest";
import { pointsText, statusText } from "../../src/cli/status-text.js";
import { statusDocument } from "../../src/local/document.js";
import type { BootstrapStatus } from "../../src/lwm2m/client.js";
import { NOW_MS, SOURCE } from "../local/source.js";

function bootstrapLine(bootstrap: BootstrapStatus): string | undefined {
  const source = { ...SOURCE, endpoints: [{ endpoint: "gw1", servers: [], bootstrap }] };
  const document = statusDocument(source, { version: "1.0.0", startedAtMs: NOW_MS }, NOW_MS);
  return statusText(document)
    .find((line) => line.includes("coap://192.0.2.9"))
    ?.replaceAll(/ +/g, " ");
}

describe("the line of the bootstrap server", () => {
  it.each<[Partial<BootstrapStatus>, string]>([
    [{}, "idle - - - -"],
    [
      { state: "waiting", lastFailure: "COAP_TIMEOUT", retryAtMs: NOW_MS + 4000 },
      "waiting - - - - after COAP_TIMEOUT, next in 4.0s",
    ],
    [{ finishedAtMs: NOW_MS - 61_000 }, "idle - - - - bootstrapped 1m 1s ago"],
  ])("%j", (status, rest) => {
    const line = bootstrapLine({ uri: "coap://192.0.2.9", state: "idle", ...status });
    expect(line?.trim()).toBe(`gw1 bootstrap coap://192.0.2.9 ${rest}`);
  });
});

it("each point has a line, with its value or with what is wrong", () => {
  const meter = SOURCE.points.get("meter") ?? [];
  const never = { name: "phase", quality: "never-read", reason: "nothing has come yet" } as const;
  const points = new Map([["meter", [...meter, never]]]);
  const document = statusDocument({ ...SOURCE, points }, { version: "1.0.0", startedAtMs: NOW_MS }, NOW_MS);
  expect(pointsText(document).map((line) => line.replaceAll(/ +/g, " "))).toEqual([
    "DEVICE POINT VALUE UNIT QUALITY AT REASON",
    "meter energy 1152921504606846976 Wh good 0.4s ago",
    "meter raw 01ff good 0.4s ago",
    "meter power - exception 0.4s ago exception 2",
    "meter phase - never-read - nothing has come yet",
  ]);
  expect(statusText(document).join("\n"), "a fault is more worth a note").toMatch(
    /2 good, 1 exception, 1 never-read +power: exception 2/,
  );
});
