import { stat } from "node:fs/promises";
import { CausewayError, toError } from "causeway/adapter";

const DEFAULT_ADDRESS = "unix:path=/run/dbus/system_bus_socket";

/**
 * Socket of the bus at the address; without one of the system's: `DBUS_SYSTEM_BUS_ADDRESS`, else where systemd has it
 * (D-Bus Specification, Well-known Message Bus Instances). Rejects with LINK_NO_DBUS.
 */
export async function busSocket(given: string | undefined, environment: NodeJS.ProcessEnv): Promise<string> {
  const address = given ?? environment["DBUS_SYSTEM_BUS_ADDRESS"] ?? DEFAULT_ADDRESS;
  const socket = socketOf(address);
  if (socket === undefined) throw new CausewayError("LINK_NO_DBUS", `'${address}' is no address of a Unix socket`);
  if (socket.startsWith("\0")) return socket;
  try {
    await stat(socket);
    return socket;
  } catch (error) {
    const { message } = toError(error);
    throw new CausewayError("LINK_NO_DBUS", `the socket of D-Bus is not there: ${message}`, { cause: error });
  }
}

/** Of the first address in the list that names a Unix socket. */
export function socketOf(addresses: string): string | undefined {
  for (const address of addresses.split(";")) {
    const [, kind, value = ""] = /^unix:(?:.*,)?(path|abstract)=([^,]+)/.exec(address) ?? [];
    const name = decodeURIComponent(value);
    if (kind !== undefined) return kind === "path" ? name : `\0${name}`;
  }
  return undefined;
}
