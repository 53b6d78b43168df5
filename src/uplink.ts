import type { Clock } from "./base/clock.js";
import { CausewayError } from "./base/errors.js";
import type { Log } from "./base/log.js";
import { CoapEndpoint } from "./coap/endpoint.js";
import { CoapSettings } from "./coap/settings.js";
import { countTraffic, type TrafficCounter } from "./coap/traffic.js";
import { openUdp } from "./coap/udp.js";
import type { OpenPeer } from "./lwm2m/client.js";

/** Of the URIs for which `peerOpener` has a transport. */
export const SCHEMES: ReadonlySet<string> = new Set(["coap"]);
const DEFAULT_PORT = 5683;

/**
 * More than the 1 of RFC 7252 §4.7, which over a mobile network of 100 ms would be ten notifications a second; each
 * still backs off exponentially, and what waits is overtaken by newer values instead of queued.
 */
const NSTART = 4;

/** What connections begin with unless a server sets something else by object 500. */
export function initialCoapSettings(): CoapSettings {
  return new CoapSettings({ nstart: NSTART });
}

/** Opens `coap://` servers over UDP, a connected socket each; what they carry is told to `traffic`. */
export function peerOpener(context: {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly traffic?: TrafficCounter;
  readonly coap?: CoapSettings;
}): OpenPeer {
  return async ({ uri }, handler, signal, localAddress) => {
    const { protocol, hostname, port } = new URL(uri);
    if (protocol !== "coap:") throw new CausewayError("CONFIG_INVALID", `${uri}: no transport for ${protocol}`);
    const host = hostname.replace(/^\[|\]$/g, "");
    const localPort = Number(/:(\d+)$/.exec(localAddress ?? "")?.[1] ?? 0);
    const udp = await openUdp({ host, port: port === "" ? DEFAULT_PORT : Number(port), localPort }, signal);
    const { traffic, coap = initialCoapSettings() } = context;
    const transport = traffic === undefined ? udp : countTraffic(udp, udp.family, traffic);
    return new CoapEndpoint(transport, handler, { ...context, parameters: coap.current });
  };
}
