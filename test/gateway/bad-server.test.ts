import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { expectBalance } from "./balance.js";
import { Rig } from "./rig.js";

const { seed, bytes, below } = random();
const MINUTE_MS = 60_000;

/** Nothing that went wrong in the gateway itself. */
function expectSound(rig: Rig): void {
  expect(rig.log.filter(({ level }) => level >= 50)).toEqual([]);
}

describe(`servers that are not as they should be (seed ${seed})`, () => {
  it("nothing listens at the URI: the field is read, the outbox fills, one line says so, and the server may come", async () => {
    await using rig = new Rig({ seed });
    rig.route.state = "unreachable";
    await rig.start();
    await rig.run(2 * MINUTE_MS);
    expect(rig.gateway.endpoints[0].client.registrations).toMatchObject([
      { state: "waiting", lastFailure: "COAP_UNREACHABLE" },
    ]);
    const lines = rig.messages("registration failed, it is tried again");
    expect(lines).toMatchObject([{ uri: "coap://192.0.2.1", failure: "COAP_UNREACHABLE" }]);
    rig.route.state = "open";
    await rig.until(() => rig.server.registrations > 0, 10 * MINUTE_MS);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 2 * MINUTE_MS);
    expectSound(rig);
  });

  it("4.03 to the registration: it is tried again less and less often, with one line", async () => {
    await using rig = new Rig({ seed });
    rig.server.refuse = ({ path }) => (path[0] === "rd" ? "4.03" : undefined);
    await rig.start();
    await rig.run(4 * MINUTE_MS);
    expect(rig.server.log).toHaveLength(3);
    expect(rig.messages("registration failed, it is tried again")).toMatchObject([{ failure: "4.03" }]);
    rig.server.refuse = () => undefined;
    await rig.until(() => rig.server.registrations > 0, 5 * MINUTE_MS);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 2 * MINUTE_MS);
  });

  it("4.12 until the version is 1.0: then that is spoken", async () => {
    await using rig = new Rig({ seed });
    rig.server.versions = ["1.0"];
    await rig.start();
    await rig.run(20_000);
    expect(rig.server.log.map((line) => /lwm2m=(.*?)&/.exec(line)?.[1])).toEqual(["1.2", "1.1", "1.0"]);
    expect(rig.gateway.endpoints[0].client.registrations).toMatchObject([{ state: "registered", version: "1.0" }]);
    expect(rig.server.arrivals.filter(({ how }) => how === "notified").length).toBeGreaterThan(100);
    expectSound(rig);
  });

  it("garbage from the server's address changes nothing", async () => {
    await using rig = new Rig({ seed });
    await rig.start();
    await rig.run(10_000);
    for (let round = 0; round < 40; round++) {
      for (let count = 0; count < 50; count++) rig.server.connection.sendRaw(bytes(below(60)));
      // With the version and length of CoAP, so that more of it is read.
      for (let count = 0; count < 50; count++) rig.server.connection.sendRaw(likeCoap(bytes(4 + below(40))));
      await rig.run(500);
    }
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 5 * MINUTE_MS);
    expectSound(rig);
  });
});

function likeCoap(datagram: Uint8Array): Uint8Array {
  datagram[0] = 0x40 | ((datagram[0] ?? 0) & 0x34);
  return datagram;
}
