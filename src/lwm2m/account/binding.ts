import { CausewayError } from "../../base/errors.js";
import { parseArguments } from "../operation/arguments.js";

/** UDP, MQTT, HTTP, TCP, SMS and Non-IP: the letters of a binding (OMA LwM2M Core 1.2 §6.2.1.2). */
export const TRANSPORTS: readonly string[] = ["U", "M", "H", "T", "S", "N"];

/** How a server is reached by its URI. */
export function transportOf(uri: string): "U" | "T" {
  return /^coaps?\+tcp:/.test(uri) ? "T" : "U";
}

/** What a server says of transports, and where it is. */
interface Binding {
  /** /1/x/7 */
  readonly binding: string;
  readonly uri: string;
}

/**
 * The arguments of a Registration Update Trigger /1/x/8: none, or `0='U'`, the transport to use from now on. Throws
 * LWM2M_BAD_REQUEST when /1/x/7 does not have it or the client cannot reach the server by it, so that no server takes
 * the connection for another one than it is.
 */
export function checkUpdateArguments(args: string, { binding, uri }: Binding): void {
  const parsed = parseArguments(args);
  for (const digit of parsed.keys()) if (digit !== 0) throw bad(`argument ${digit} has no meaning here`);
  const wanted = parsed.get(0) ?? "";
  if (wanted === "") return;
  if (!TRANSPORTS.includes(wanted)) throw bad(`'${wanted}' is not one of the transports ${TRANSPORTS.join(", ")}`);
  // UDP counts as supported by every server (OMA LwM2M Core 1.2 §6.2.1.2).
  if (wanted !== "U" && !binding.includes(wanted)) throw bad(`the binding '${binding}' has no transport ${wanted}`);
  if (wanted !== transportOf(uri)) throw bad(`the client has no transport ${wanted} to the server`);
}

function bad(what: string): CausewayError {
  return new CausewayError("LWM2M_BAD_REQUEST", what);
}
