import type { Clock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { CoapEndpoint } from "../../src/coap/endpoint.js";
import type { CoapPeer, RequestHandler } from "../../src/coap/request.js";
import type { DatagramTransport, TransportListener } from "../../src/coap/transport.js";
import { type NetworkOptions, networkPair } from "./network.js";
import { random } from "./random.js";
import type { WireLwm2mServer } from "./wire-server.js";

type Weather = { -readonly [K in keyof NetworkOptions]: NetworkOptions[K] };

/** The client's end of the way, as the server knows it by its address; sockets come and go there. */
interface End {
  readonly near: DatagramTransport;
  /** Of the socket that is open; undefined while there is none. */
  listener: TransportListener | undefined;
}

/** The way to one server over a bad network whose weather can change. */
export class Route {
  readonly weather: Weather;
  /** `unreachable`: what is sent comes back as ICMP errors. */
  state: "open" | "unreachable" = "open";
  /** `taken`: no address can be had again. */
  addresses: "free" | "taken" = "free";
  opened = 0;
  readonly #server: WireLwm2mServer | undefined;
  readonly #random: () => number;
  readonly #ends = new Map<string, End>();

  /** Without a server nothing listens there. */
  constructor(clock: Clock, seed: number, server: WireLwm2mServer | undefined) {
    this.#server = server;
    this.#random = random(seed).next;
    this.weather = { clock, seed, loss: 0, duplication: 0, minDelayMs: 5, maxDelayMs: 60 };
  }

  connect(handler: RequestHandler, wanted?: string): CoapPeer {
    this.opened++;
    const known = wanted !== undefined && this.addresses === "free" && this.#ends.get(wanted)?.listener === undefined;
    const localAddress = known ? wanted : `10.0.0.1:${49_151 + this.opened}`;
    const end = this.#ends.get(localAddress) ?? this.#makeEnd(localAddress);
    const options = { clock: this.weather.clock, log: silentLog, random: this.#random };
    return new CoapEndpoint(this.#socket(end, localAddress), handler, options);
  }

  #makeEnd(localAddress: string): End {
    // Read once by the pair; everything else of the weather is looked at for each datagram.
    this.weather.seed++;
    const [near, far] = networkPair(this.weather);
    this.#server?.accept(far);
    const end: End = { near, listener: undefined };
    near.listen({
      onDatagram: (datagram) => end.listener?.onDatagram(datagram),
      onUnreachable: (reason) => end.listener?.onUnreachable(reason),
      onClosed: (reason) => end.listener?.onClosed(reason),
    });
    this.#ends.set(localAddress, end);
    return end;
  }

  #socket(end: End, localAddress: string): DatagramTransport {
    let isOpen = true;
    return {
      localAddress,
      listen: (listener) => {
        end.listener = listener;
      },
      send: (datagram) => {
        if (!isOpen) return;
        if (this.state === "open") end.near.send(datagram);
        else this.weather.clock.schedule(1, () => end.listener?.onUnreachable(new Error("ECONNREFUSED")));
      },
      [Symbol.asyncDispose]: async () => {
        if (!isOpen) return;
        isOpen = false;
        const { listener } = end;
        end.listener = undefined;
        listener?.onClosed(new Error("the socket is closed"));
      },
    };
  }
}
