import type { Database } from "./database.js";

interface InstanceRow {
  readonly device: string;
  readonly objectId: number;
  readonly ordinal: number;
  readonly instanceId: number;
}

/** Keeps instance ids in the state database; has the shape of the mapping's `InstanceStore`. */
export function databaseInstanceStore(database: Database): {
  load(): Promise<readonly InstanceRow[]>;
  save(rows: readonly InstanceRow[]): Promise<void>;
} {
  return {
    async load() {
      const rows = await database.all("SELECT device, object, ordinal, instance FROM instances");
      return rows.map((row) => ({
        device: String(row["device"]),
        objectId: Number(row["object"]),
        ordinal: Number(row["ordinal"]),
        instanceId: Number(row["instance"]),
      }));
    },
    async save(rows) {
      for (const { device, objectId, ordinal, instanceId } of rows) {
        const sql = "INSERT OR IGNORE INTO instances VALUES (?, ?, ?, ?)";
        await database.run(sql, [device, objectId, ordinal, instanceId]);
      }
    },
  };
}
