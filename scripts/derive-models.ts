import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../src/base/package-root.js";
import type { ObjectModel } from "../src/lwm2m/model/model.js";
import { compareVersions, objectToJson } from "../src/lwm2m/model/models.js";
import { readObjectXml } from "../src/lwm2m/model/object-xml.js";
import { formatNotices, type Notice, readNotice } from "./notice.js";

/** First and last id of the objects that are shipped; 3443 and 10244 have no licence and must not be. */
const SHIPPED: readonly (readonly [number, number])[] = [
  [0, 7],
  [9, 9],
  [14, 14],
  [16, 16],
  [19, 27],
  [500, 500],
  [509, 509],
  [3200, 3203],
  [3300, 3350],
  [3411, 3412],
  [3418, 3424],
  [3427, 3429],
  [3435, 3435],
  [3441, 3442],
  [10241, 10243],
  [10254, 10254],
  [10257, 10258],
  [10299, 10299],
  [10374, 10375],
  [18830, 18831],
];

const folder = process.argv[2];
if (folder === undefined) {
  console.error("usage: derive-models REGISTRY_FOLDER (a copy of the OMA LwM2M Registry with its version_history)");
  process.exitCode = 2;
} else {
  await derive(folder);
}

/** Writes `models/objects.json` and `NOTICE` from every object definition file in the folder and below. */
async function derive(registryFolder: string): Promise<void> {
  const models = new Map<string, ObjectModel>();
  const notices: Notice[] = [];
  const names = await readdir(registryFolder, { recursive: true });
  // Names like 3303.xml and version_history/3303-1_1.xml; the rest of the registry are indexes and schemas.
  for (const name of names.filter((path) => /(?:^|[\\/])\d+(?:-\d+_\d+)?\.xml$/.test(path)).sort()) {
    const xml = await readFile(join(registryFolder, name), "utf8");
    for (const model of readObjectXml(xml, name)) {
      if (!SHIPPED.some(([first, last]) => first <= model.id && model.id <= last)) continue;
      const notice = readNotice(xml, model.id);
      if (notice === undefined) throw new Error(`${name}: no known licence`);
      notices.push(notice);
      models.set(`${model.id} ${model.version}`, model);
    }
  }
  const sorted = [...models.values()].sort((a, b) => a.id - b.id || compareVersions(a.version, b.version));
  const lines = sorted.map((model) => JSON.stringify(objectToJson(model)));
  await writeFile(join(packageRoot(), "models", "objects.json"), `[\n${lines.join(",\n")}\n]\n`);
  await writeFile(join(packageRoot(), "NOTICE"), formatNotices(notices));
  console.log(`${sorted.length} versions of ${new Set(sorted.map(({ id }) => id)).size} objects`);
}
