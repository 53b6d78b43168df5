import { CausewayError, connectionError, type ErrorCode, toError } from "causeway/adapter";

/** Reason codes of CONNACK: MQTT 3.1.1 §3.2.2.3 (below 0x80) and MQTT 5.0 §3.2.2.2. */
const REFUSALS: ReadonlyMap<number, readonly [ErrorCode, string]> = new Map([
  [0x01, ["LINK_REFUSED", "refuses this version of MQTT"]],
  [0x02, ["LINK_REFUSED", "refuses the clientId"]],
  [0x03, ["LINK_REFUSED", "is not available"]],
  [0x04, ["LINK_UNAUTHORIZED", "refuses user or password"]],
  [0x05, ["LINK_UNAUTHORIZED", "refuses user or password"]],
  [0x84, ["LINK_REFUSED", "refuses this version of MQTT"]],
  [0x85, ["LINK_REFUSED", "refuses the clientId"]],
  [0x86, ["LINK_UNAUTHORIZED", "refuses user or password"]],
  [0x87, ["LINK_UNAUTHORIZED", "refuses user or password"]],
  [0x88, ["LINK_REFUSED", "is not available"]],
  [0x89, ["LINK_REFUSED", "is busy"]],
  [0x8a, ["LINK_UNAUTHORIZED", "has banned this client"]],
  [0x8c, ["LINK_UNAUTHORIZED", "wants another kind of authentication"]],
]);

const NOT_AUTHORIZED = 0x87;

/** How the library begins to tell of packets that are none (mqtt-packet). */
const UNREADABLE = /^(Invalid|Cannot parse|Malformed|Packet|Unknown property|Not supported)/;

export function isRefusal(error: unknown): boolean {
  return codeOf(error) === NOT_AUTHORIZED;
}

export function brokerError(broker: string, thrown: unknown): CausewayError {
  const code = codeOf(thrown);
  const error = toError(thrown);
  if (typeof code === "number") {
    const [errorCode, what] = REFUSALS.get(code) ?? ["LINK_REFUSED", error.message];
    return new CausewayError(errorCode, `${broker} ${what}`, { cause: error });
  }
  if (/keepalive/i.test(error.message)) {
    return new CausewayError("LINK_FAILED", `${broker} does not answer any more (keepalive)`, { cause: error });
  }
  if (UNREADABLE.test(error.message)) {
    return new CausewayError("LINK_FAILED", `what came from ${broker} is not MQTT: ${error.message}`, { cause: error });
  }
  return connectionError(broker, error);
}

function codeOf(error: unknown): number | string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "number" || typeof error.code === "string" ? error.code : undefined;
}
