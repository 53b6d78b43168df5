import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, it } from "vitest";
import { NO_BYTES } from "../src/base/bytes.js";
import { silentLog } from "../src/base/log.js";
import type { CoapPeer } from "../src/coap/request.js";
import { CoapSettings } from "../src/coap/settings.js";
import { peerOpener } from "../src/uplink.js";
import { FakeClock, settle } from "./fakes/clock.js";

const { signal } = new AbortController();

it("what a server sets by object 500 counts for connections that are opened afterwards", async () => {
  const silent = createSocket("udp4").bind(0, "127.0.0.1");
  await once(silent, "listening");
  const clock = new FakeClock();
  const coap = new CoapSettings({ ackRandomFactor: 1, maxRetransmit: 1 });
  const open = peerOpener({ clock, log: silentLog, random: () => 0, coap });
  const connect = () => open({ uri: `coap://127.0.0.1:${silent.address().port}` }, () => undefined, signal);
  const request = (peer: CoapPeer) => {
    const state = { value: "waiting" };
    peer.request({ method: "GET", path: [], query: [], payload: NO_BYTES }, signal).catch((error: unknown) => {
      state.value = error instanceof Error && "code" in error ? String(error.code) : "failed";
    });
    return state;
  };
  await using before = await connect();
  coap.apply({ ...coap.current, maxRetransmit: 2 });
  await using after = await connect();
  const [first, second] = [request(before), request(after)];
  await settle();
  await clock.advance(2000 + 4000);
  expect([first.value, second.value]).toEqual(["COAP_TIMEOUT", "waiting"]);
  await clock.advance(8000);
  expect(second.value).toBe("COAP_TIMEOUT");
  silent.close();
});
