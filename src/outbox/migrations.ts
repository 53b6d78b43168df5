/** Each is applied once, in order; `PRAGMA user_version` counts them. Never change one that was released. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE samples (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     endpoint TEXT NOT NULL,
     at_ms INTEGER NOT NULL,
     path TEXT NOT NULL,
     type TEXT NOT NULL,
     value
   );
   CREATE INDEX samples_by_endpoint ON samples (endpoint, id);
   CREATE TABLE queues (
     endpoint TEXT NOT NULL,
     server INTEGER NOT NULL,
     settled_id INTEGER NOT NULL,
     PRIMARY KEY (endpoint, server)
   );
   CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
   CREATE TABLE instances (
     device TEXT NOT NULL,
     object INTEGER NOT NULL,
     ordinal INTEGER NOT NULL,
     instance INTEGER NOT NULL,
     PRIMARY KEY (device, object, ordinal)
   )`,
  "ALTER TABLE samples ADD COLUMN prefix TEXT",
  `CREATE TABLE documents (
     endpoint TEXT NOT NULL,
     section TEXT NOT NULL,
     key TEXT NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (endpoint, section, key)
   ) WITHOUT ROWID`,
];
