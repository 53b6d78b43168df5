import { readFileSync } from "node:fs";
import { endianness, type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { type HostNetwork, NetworkBearer, type NetworkFacts } from "./lwm2m/objects/connectivity-monitoring.js";

/** What the operating system tells of its network. */
export interface NetworkSource {
  interfaces(): Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;
  /** Text of a file of `/proc/self/net`; undefined where it is absent or hidden. */
  table(name: "route" | "ipv6_route" | "wireless"): string | undefined;
}

/** Through the process's own entry: a unit with ProcSubset=pid sees no other. */
const PROC = "/proc/self/net";

/** The machine's own. */
export const systemNetwork: NetworkSource = {
  interfaces() {
    try {
      return networkInterfaces();
    } catch {
      // Without AF_NETLINK the system does not tell.
      return {};
    }
  },
  table(name) {
    try {
      return readFileSync(`${PROC}/${name}`, "utf8");
    } catch {
      return undefined;
    }
  },
};

/** Names as systemd and the kernel give them; tunnels and bridges of containers are no bearers. */
const BEARERS: readonly (readonly [name: RegExp, bearer: NetworkBearer])[] = [
  [/^wl/, NetworkBearer.wlan],
  [/^bnep/, NetworkBearer.bluetooth],
  [/^(lowpan|wpan)/, NetworkBearer.ieee802154],
  [/^(en|eth|bond|br\d)/, NetworkBearer.ethernet],
];

/**
 * The interface that leads to the servers is that of the default route; where no route is to be seen, the first one
 * that is of a known kind.
 */
export function hostNetwork(source: NetworkSource = systemNetwork): HostNetwork {
  return { facts: () => factsOf(source) };
}

function factsOf(source: NetworkSource): NetworkFacts {
  const outward = outwardAddresses(source);
  const bearers = [...outward.keys()].map(bearerOf).filter((bearer) => bearer !== undefined);
  const routes = [...ipv4Routes(source.table("route") ?? ""), ...ipv6Routes(source.table("ipv6_route") ?? "")];
  const name = routes[0]?.name ?? [...outward.keys()].find((each) => bearerOf(each) !== undefined) ?? "";
  const bearer = bearerOf(name);
  const signalDbm = signalOf(source.table("wireless") ?? "", name);
  const routers = routes.filter((route) => route.name === name).map(({ router }) => router);
  return {
    ...(bearer === undefined ? {} : { bearer }),
    availableBearers: [...new Set(bearers)],
    ...(signalDbm === undefined ? {} : { signalDbm }),
    addresses: outward.get(name) ?? [],
    routers: [...new Set(routers)].filter((router) => router !== undefined),
  };
}

/** By interface; the loopback has none. */
function outwardAddresses(source: NetworkSource): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, readonly string[]>();
  for (const [name, infos = []] of Object.entries(source.interfaces())) {
    const addresses = infos.filter(({ internal }) => !internal).map(({ address }) => address);
    if (addresses.length > 0) byName.set(name, addresses);
  }
  return byName;
}

function bearerOf(name: string): NetworkBearer | undefined {
  return BEARERS.find(([pattern]) => pattern.test(name))?.[1];
}

interface DefaultRoute {
  readonly name: string;
  /** Absent where the link itself leads everywhere, as point-to-point ones do. */
  readonly router: string | undefined;
  readonly metric: number;
}

const UP = 0x1;
const GATEWAY = 0x2;
const REJECT = 0x200;

/** Best first. Columns: interface, destination, gateway, flags, references, use, metric, mask. */
function ipv4Routes(table: string): readonly DefaultRoute[] {
  return rowsOf(table)
    .filter(([, destination, , flags, , , , mask]) => isDefault(destination, flags) && isZero(mask))
    .map(([name = "", , gateway = "", flags, , , metric]) => ({
      name,
      router: hasFlag(flags, GATEWAY) ? ipv4Address(gateway) : undefined,
      metric: Number(metric),
    }))
    .sort((a, b) => a.metric - b.metric);
}

/** Best first. Columns: destination, its length, source, its length, gateway, metric, references, use, flags, interface. */
function ipv6Routes(table: string): readonly DefaultRoute[] {
  return rowsOf(table)
    .filter(([destination, length, , , , , , , flags, name]) => {
      return isDefault(destination, flags) && isZero(length) && name !== "lo";
    })
    .map(([, , , , gateway = "", metric = "", , , flags, name = ""]) => ({
      name,
      router: hasFlag(flags, GATEWAY) ? ipv6Address(gateway) : undefined,
      metric: Number.parseInt(metric, 16),
    }))
    .sort((a, b) => a.metric - b.metric);
}

function rowsOf(table: string): readonly (readonly string[])[] {
  return table.split("\n").map((line) => line.trim().split(/\s+/));
}

function isDefault(destination: string | undefined, flags: string | undefined): boolean {
  return isZero(destination) && hasFlag(flags, UP) && !hasFlag(flags, REJECT);
}

function isZero(digits = ""): boolean {
  return /^0+$/.test(digits);
}

function hasFlag(flags = "", flag: number): boolean {
  return (Number.parseInt(flags, 16) & flag) !== 0;
}

/** Four bytes in the order of the host, as one hexadecimal number. */
function ipv4Address(digits: string): string | undefined {
  if (!/^[0-9A-Fa-f]{8}$/.test(digits)) return undefined;
  const bytes = [...Buffer.from(digits, "hex")];
  return (endianness() === "LE" ? bytes.reverse() : bytes).join(".");
}

/** In the form of RFC 5952. */
function ipv6Address(digits: string): string | undefined {
  if (!/^[0-9A-Fa-f]{32}$/.test(digits)) return undefined;
  const groups = digits.match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** The column `level` of /proc/net/wireless, where the driver tells it in dBm, which is below 0. */
function signalOf(table: string, name: string): number | undefined {
  const row = rowsOf(table).find(([first]) => first === `${name}:`);
  const level = Math.round(Number.parseFloat(row?.[3] ?? ""));
  return level < 0 ? level : undefined;
}
