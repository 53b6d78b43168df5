import type { Clock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { CoapEndpoint } from "../../src/coap/endpoint.js";
import type { CoapPeer, RequestHandler } from "../../src/coap/request.js";
import type { DatagramTransport, TransportListener } from "../../src/coap/transport.js";
import { type NetworkOptions, networkPair } from "./network.js";
import { random } from "./random.js";
import type { WireLwm2mServer } from "./wire-server.js";

type Weather = { -readonly [K in keyof NetworkOptions]: NetworkOptions[K] };

/** The way to one server over a bad network whose weather can change; each connection is a new pair of sockets. */
export class Route {
  readonly weather: Weather;
  /** `unreachable`: what is sent comes back as ICMP errors. */
  state: "open" | "unreachable" = "open";
  opened = 0;
  readonly #server: WireLwm2mServer | undefined;
  readonly #random: () => number;

  /** Without a server nothing listens there. */
  constructor(clock: Clock, seed: number, server: WireLwm2mServer | undefined) {
    this.#server = server;
    this.#random = random(seed).next;
    this.weather = { clock, seed, loss: 0, duplication: 0, minDelayMs: 5, maxDelayMs: 60 };
  }

  connect(handler: RequestHandler): CoapPeer {
    this.opened++;
    // Read once by the pair; everything else of the weather is looked at for each datagram.
    this.weather.seed++;
    const [near, far] = networkPair(this.weather);
    this.#server?.accept(far);
    const options = { clock: this.weather.clock, log: silentLog, random: this.#random };
    return new CoapEndpoint(this.#withIcmp(near), handler, options);
  }

  #withIcmp(transport: DatagramTransport): DatagramTransport {
    let listener: TransportListener | undefined;
    return {
      listen: (own) => {
        listener = own;
        transport.listen(own);
      },
      send: (datagram) => {
        if (this.state === "open") transport.send(datagram);
        else this.weather.clock.schedule(1, () => listener?.onUnreachable(new Error("ECONNREFUSED")));
      },
      [Symbol.asyncDispose]: async () => {
        listener = undefined;
        await transport[Symbol.asyncDispose]();
      },
    };
  }
}
