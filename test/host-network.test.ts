import { endianness, type NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { hostNetwork, type NetworkSource } from "../src/host-network.js";

function at(address: string): NetworkInterfaceInfo {
  const common = { netmask: "", mac: "", cidr: null, internal: address === "127.0.0.1" };
  return address.includes(":")
    ? { ...common, address, family: "IPv6", scopeid: 0 }
    : { ...common, address, family: "IPv4" };
}

const INTERFACES = {
  lo: [at("127.0.0.1")],
  docker0: [at("172.17.0.1")],
  enp3s0: [at("192.0.2.7"), at("2001:db8::7")],
  wlan0: [at("198.51.100.7")],
};

/** As the kernel writes an address: one number in the order of the host. */
function hostOrder(address: string): string {
  const bytes = address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
  return (endianness() === "LE" ? bytes.reverse() : bytes).join("").toUpperCase();
}

const ROUTE = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t${hostOrder("198.51.100.1")}\t0003\t0\t0\t600\t00000000\t0\t0\t0
enp3s0\t00000000\t${hostOrder("192.0.2.1")}\t0003\t0\t0\t100\t00000000\t0\t0\t0
enp3s0\t${hostOrder("192.0.2.0")}\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
`;
const ZERO = "0".repeat(32);
const IPV6_ROUTE = `20010db8000000000000000000000000 40 ${ZERO} 00 ${ZERO} 00000100 00000001 00000000 00000001   enp3s0
${ZERO} 00 ${ZERO} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003   enp3s0
${ZERO} 00 ${ZERO} 00 ${ZERO} ffffffff 00000001 00000000 00200200       lo
`;
const WIRELESS = `Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0
`;

function factsOf(tables: Partial<Record<"route" | "ipv6_route" | "wireless", string>>, interfaces = INTERFACES) {
  const source: NetworkSource = { interfaces: () => interfaces, table: (name) => tables[name] };
  return hostNetwork(source).facts();
}

describe("the host's network", () => {
  it("is that of the best default route", () => {
    expect(factsOf({ route: ROUTE, ipv6_route: IPV6_ROUTE, wireless: WIRELESS })).toEqual({
      bearer: 41,
      availableBearers: [41, 21],
      addresses: ["192.0.2.7", "2001:db8::7"],
      routers: ["192.0.2.1", "fe80::1"],
    });
  });

  it("tells the signal of a radio", () => {
    const route = ROUTE.replace("\t100\t00000000", "\t900\t00000000");
    expect(factsOf({ route, wireless: WIRELESS })).toEqual({
      bearer: 21,
      availableBearers: [41, 21],
      signalDbm: -56,
      addresses: ["198.51.100.7"],
      routers: ["198.51.100.1"],
    });
    expect(factsOf({ route, wireless: WIRELESS.replace("-56.", " 60.") })).not.toHaveProperty("signalDbm");
  });

  it("knows the way by IPv6 alone", () => {
    expect(factsOf({ ipv6_route: IPV6_ROUTE })).toMatchObject({ bearer: 41, routers: ["fe80::1"] });
  });

  it("without tables is that of the first interface of a known kind, without routers", () => {
    expect(factsOf({})).toEqual({
      bearer: 41,
      availableBearers: [41, 21],
      addresses: ["192.0.2.7", "2001:db8::7"],
      routers: [],
    });
  });

  it("a tunnel is no bearer", () => {
    const route = `tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n`;
    const facts = factsOf({ route }, { ...INTERFACES, ...{ tun0: [at("10.8.0.2")] } });
    expect(facts).toEqual({ availableBearers: [41, 21], addresses: ["10.8.0.2"], routers: [] });
  });

  it("has nothing where there is none, and takes garbage for nothing", () => {
    const nothing = { availableBearers: [], addresses: [], routers: [] };
    const source: NetworkSource = {
      interfaces: () => ({}),
      table: () => "\n\u0000 x\neth0 00000000 zz 0003 0 0 x 0\n",
    };
    expect(hostNetwork({ ...source, table: () => undefined }).facts()).toEqual(nothing);
    expect(hostNetwork(source).facts()).toMatchObject({ addresses: [], routers: [] });
  });

  it("of this machine can be read", () => {
    expect(Array.isArray(hostNetwork().facts().addresses)).toBe(true);
  });
});
