import type { StatusSource } from "../../src/local/document.js";

export const NOW_MS = Date.UTC(2026, 0, 1);

/** A gateway with one server that is waited for, one bus and a meter with a fault. */
export const SOURCE: StatusSource = {
  endpoints: [
    {
      endpoint: "urn:dev:os:32473-1",
      servers: [
        {
          shortServerId: 1,
          uri: "coap://192.0.2.1",
          state: "waiting",
          retryAtMs: NOW_MS + 61_000,
          lastFailure: "COAP_TIMEOUT",
          observations: 0,
        },
      ],
    },
  ],
  field: {
    buses: [
      {
        medium: "/dev/ttyS0",
        links: ["hall"],
        state: "up",
        sinceMs: NOW_MS - 90_000_000,
        exchanges: 12,
        faults: { timeout: 2 },
        utilisation: 0.25,
        busyMs: 100,
        queued: 0,
        opened: 1,
        trace: [
          { number: 7, atMs: NOW_MS - 400, direction: "out", hex: "070400000001" },
          { number: 8, atMs: NOW_MS - 380, direction: "in", hex: "078402" },
          { number: 9, atMs: NOW_MS, direction: "in", hex: "0a", text: "a word" },
        ],
      },
    ],
    devices: [
      {
        name: "meter",
        link: "hall",
        health: "online",
        sinceMs: NOW_MS - 5000,
        lastAnswerMs: NOW_MS - 400,
        readings: new Map(),
        skippedSlots: 0,
        unsupported: [],
      },
    ],
  },
  points: new Map([
    [
      "meter",
      [
        { name: "energy", quality: "good", atMs: NOW_MS - 400, value: 2n ** 60n, unit: "Wh" },
        { name: "raw", quality: "good", atMs: NOW_MS - 400, value: Uint8Array.of(1, 255) },
        { name: "power", quality: "exception", atMs: NOW_MS - 400, reason: "exception 2" },
      ],
    ],
  ]),
  outbox: { buffered: 3, uncommitted: 1, oldestAtMs: NOW_MS - 3_700_000, appended: 9, delivered: 5, dropped: 0 },
};
