import { describe, expect, it } from "vitest";
import { silentLog } from "../../src/base/log.js";
import { Code } from "../../src/coap/code.js";
import { CoapEndpoint } from "../../src/coap/endpoint.js";
import type { CoapRequest, CoapResponse, IncomingRequest, Method } from "../../src/coap/request.js";
import { FakeClock } from "../fakes/clock.js";
import { networkPair } from "../fakes/network.js";
import { random } from "../fakes/random.js";

const REQUESTS = 300;
const { seed, next, below } = random();

/** A body that no other request of the run has. */
function body(id: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (id * 31 + index * 7 + (index >> 8)) & 0xff);
}

function someLength(): number {
  return next() < 0.5 ? below(40) : below(700);
}

describe(`two endpoints over a bad network (seed ${seed})`, () => {
  it("handle each request exactly once and answer it correctly", async () => {
    const clock = new FakeClock();
    const network = { clock, seed, loss: 0.05, duplication: 0.1, minDelayMs: 5, maxDelayMs: 900 };
    const handled = new Map<string, number>();
    const answerLength = new Map<number, number>();
    const handler = (request: IncomingRequest): CoapResponse | Promise<CoapResponse> => {
      const [side = "", id = ""] = request.path;
      handled.set(`${side}/${id}`, (handled.get(`${side}/${id}`) ?? 0) + 1);
      expect(request.payload).toEqual(body(Number(id), request.payload.length));
      const response = { code: Code.Content, payload: body(Number(id) + 1, answerLength.get(Number(id)) ?? 0) };
      if (Number(id) % 3 !== 0) return response;
      return new Promise((resolve) => clock.schedule((Number(id) % 7) * 600, () => resolve(response)));
    };
    // More retransmissions than usual, so that no run is lost to bad luck.
    const parameters = { blockSize: 64, maxRetransmit: 9, nstart: 2 } as const;
    const options = { clock, log: silentLog, random: next, parameters };
    const [left, right] = networkPair(network).map((transport) => new CoapEndpoint(transport, handler, options));
    if (left === undefined || right === undefined) throw new Error("no endpoints");

    const failures: unknown[] = [];
    const methods: Method[] = ["GET", "POST", "PUT", "DELETE", "FETCH", "iPATCH"];
    const ask = async (id: number): Promise<void> => {
      answerLength.set(id, someLength());
      const request: CoapRequest = {
        method: methods[id % methods.length] ?? "GET",
        path: [id % 2 === 0 ? "left" : "right", String(id)],
        query: [],
        payload: body(id, id % 4 === 0 ? 0 : someLength()),
      };
      const endpoint = id % 2 === 0 ? left : right;
      const response = await endpoint.request(request, new AbortController().signal);
      expect(response).toEqual({ code: Code.Content, payload: body(id + 1, answerLength.get(id) ?? 0) });
    };
    let nextId = 0;
    const work = Array.from({ length: 16 }, async () => {
      while (nextId < REQUESTS) await ask(nextId++).catch((error: unknown) => failures.push(error));
    });
    const all = Promise.all(work);
    let isDone = false;
    void all.then(() => {
      isDone = true;
    });
    for (let hours = 0; hours < 20 && !isDone; hours++) await clock.advance(3_600_000);

    expect(failures).toEqual([]);
    expect(isDone).toBe(true);
    expect(handled.size).toBe(REQUESTS);
    expect([...handled].filter(([, times]) => times !== 1)).toEqual([]);
    await left[Symbol.asyncDispose]();
    await right[Symbol.asyncDispose]();
    expect(clock.pendingCount).toBe(0);
  });
});
