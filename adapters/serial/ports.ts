import { constants } from "node:fs";
import { access, readdir, readFile, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { portHolders } from "causeway/adapter";

/** What the system knows of a serial port. */
export interface PortFacts {
  /** Device file, e.g. /dev/ttyUSB0: another one after the next plugging. */
  readonly device: string;
  /** Names that stay: of the device first (by-id), then of the socket (by-path). */
  readonly names: readonly string[];
  readonly driver?: string;
  readonly usb?: UsbFacts;
  /** Programs that have it open, as `1234 name`; of other users only root sees them. */
  readonly holders: readonly string[];
  /** Why this user cannot open it. */
  readonly problem?: string;
}

export interface UsbFacts {
  /** As `0403:6001`. */
  readonly id: string;
  readonly maker?: string;
  readonly product?: string;
  readonly serialNumber?: string;
}

const NAME_FOLDERS = ["dev/serial/by-id", "dev/serial/by-path"] as const;
/** Layers of the kernel's serial core between a port and its driver. */
const CORE_DRIVERS: ReadonlySet<string> = new Set(["port", "ctrl"]);
const MAX_LEVELS = 12;

/**
 * All ports that have hardware behind them, whatever their driver calls them. `root` is where the system's folders are
 * looked for.
 */
export async function findPorts(root = "/"): Promise<readonly PortFacts[]> {
  const names = (await list(join(root, "sys/class/tty"))).toSorted();
  const stable = await stableNames(root);
  const holders = await portHolders((file) => file.startsWith("/dev/tty"), root);
  const ports = await Promise.all(names.map((name) => portFacts(root, name, stable, holders)));
  return ports.filter((port) => port !== undefined);
}

async function portFacts(
  root: string,
  name: string,
  stable: ReadonlyMap<string, readonly string[]>,
  holders: ReadonlyMap<string, readonly string[]>,
): Promise<PortFacts | undefined> {
  const folder = join(root, "sys/class/tty", name);
  const hardware = await realpath(join(folder, "device")).catch(() => undefined);
  // Type 0: a place for a port of the board that is not there.
  if (hardware === undefined || (await text(join(folder, "type"))) === "0") return undefined;
  const device = `/dev/${name}`;
  const [driver, usb, problem] = await Promise.all([driverOf(hardware), usbFacts(hardware), problemOf(root, device)]);
  return {
    device,
    names: stable.get(name) ?? [],
    ...(driver === undefined ? {} : { driver }),
    ...(usb === undefined ? {} : { usb }),
    holders: holders.get(device) ?? [],
    ...(problem === undefined ? {} : { problem }),
  };
}

async function driverOf(hardware: string): Promise<string | undefined> {
  for (const folder of upwards(hardware)) {
    const link = await readlink(join(folder, "driver")).catch(() => undefined);
    const name = link === undefined ? undefined : basename(link);
    if (name !== undefined && !CORE_DRIVERS.has(name)) return name;
  }
  return undefined;
}

async function usbFacts(hardware: string): Promise<UsbFacts | undefined> {
  for (const folder of upwards(hardware)) {
    const vendor = await text(join(folder, "idVendor"));
    if (vendor === undefined) continue;
    const [product, maker, name, serialNumber] = await Promise.all(
      ["idProduct", "manufacturer", "product", "serial"].map((file) => text(join(folder, file))),
    );
    return {
      id: `${vendor}:${product ?? ""}`,
      ...(maker === undefined ? {} : { maker }),
      ...(name === undefined ? {} : { product: name }),
      ...(serialNumber === undefined ? {} : { serialNumber }),
    };
  }
  return undefined;
}

function upwards(folder: string): readonly string[] {
  const folders: string[] = [];
  for (let at = folder; at !== dirname(at) && folders.length < MAX_LEVELS; at = dirname(at)) folders.push(at);
  return folders;
}

/** By the name of the device file. */
async function stableNames(root: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const folder of NAME_FOLDERS) {
    for (const name of (await list(join(root, folder))).toSorted()) {
      const target = await readlink(join(root, folder, name)).catch(() => undefined);
      if (target === undefined) continue;
      const device = basename(target);
      found.set(device, [...(found.get(device) ?? []), `/${folder}/${name}`]);
    }
  }
  return found;
}

async function problemOf(root: string, device: string): Promise<string | undefined> {
  const path = join(root, device);
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    const isDenied = error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM");
    if (!isDenied) return "there is no device file";
    const group = await groupOf(root, path);
    return `not permitted: add the user to the group ${group ?? "of the device file"}`;
  }
}

async function groupOf(root: string, path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  const groups = (await text(join(root, "etc/group")))?.split("\n").map((line) => line.split(":")) ?? [];
  return groups.find(([, , id]) => facts !== undefined && Number(id) === facts.gid)?.[0];
}

async function list(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch(() => []);
}

async function text(file: string): Promise<string | undefined> {
  const content = await readFile(file, "utf8").catch(() => undefined);
  return content?.trim();
}
