import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/**
 * Programs that have device files open, by file, as `1234 minicom`; of other users only root sees them (proc(5),
 * /proc/PID/fd). `root` is where the system's folders are looked for.
 */
export async function portHolders(
  isPort: (file: string) => boolean,
  root = "/",
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  const processes = (await namesIn(join(root, "proc"))).filter((name) => /^\d+$/.test(name));
  for (const id of processes) {
    const folder = join(root, "proc", id);
    const files = new Set<string>();
    for (const descriptor of await namesIn(join(folder, "fd"))) {
      const file = await readlink(join(folder, "fd", descriptor)).catch(() => undefined);
      if (file !== undefined && isPort(file)) files.add(file);
    }
    for (const file of files) {
      const name = await readFile(join(folder, "comm"), "utf8").catch(() => "?");
      found.set(file, [...(found.get(file) ?? []), `${id} ${name.trim()}`]);
    }
  }
  return found;
}

// Processes come and go, and most belong to others: what cannot be read has nothing to tell.
async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch(() => []);
}
