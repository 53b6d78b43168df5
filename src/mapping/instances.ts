/** Which instance id the n-th object of its kind of a device has; unchanged over restarts and new configurations. */
export interface InstanceRow {
  readonly device: string;
  readonly objectId: number;
  /** Counts a device's objects of the same id, from 0, in the order of the profile. */
  readonly ordinal: number;
  readonly instanceId: number;
}

export interface InstanceStore {
  load(): Promise<readonly InstanceRow[]>;
  /** Adds rows; rows that were saved before never change. */
  save(rows: readonly InstanceRow[]): Promise<void>;
}

/**
 * Gives each device the lowest free id of an object, once and for all: a device that leaves the configuration keeps its
 * ids, so that a server never takes another device for it.
 */
export class InstanceTable {
  readonly #store: InstanceStore;
  readonly #rows = new Map<string, InstanceRow>();
  readonly #taken = new Map<number, Set<number>>();
  /** By object; all ids below are taken, and no id is ever free again. */
  readonly #free = new Map<number, number>();
  #unsaved: InstanceRow[] = [];

  private constructor(store: InstanceStore) {
    this.#store = store;
  }

  static async open(store: InstanceStore): Promise<InstanceTable> {
    const table = new InstanceTable(store);
    for (const row of await store.load()) table.#add(row);
    return table;
  }

  instanceId(device: string, objectId: number, ordinal: number): number {
    const known = this.#rows.get(keyOf({ device, objectId, ordinal }));
    if (known !== undefined) return known.instanceId;
    const taken = this.#taken.get(objectId) ?? new Set();
    let instanceId = this.#free.get(objectId) ?? 0;
    while (taken.has(instanceId)) instanceId++;
    this.#free.set(objectId, instanceId);
    const row = { device, objectId, ordinal, instanceId };
    this.#add(row);
    this.#unsaved.push(row);
    return instanceId;
  }

  /** Makes new allocations durable; to be awaited before a server hears of them. After a failure it can be tried again. */
  async save(): Promise<void> {
    const rows = this.#unsaved;
    this.#unsaved = [];
    try {
      if (rows.length > 0) await this.#store.save(rows);
    } catch (error) {
      this.#unsaved = [...rows, ...this.#unsaved];
      throw error;
    }
  }

  #add(row: InstanceRow): void {
    this.#rows.set(keyOf(row), row);
    const taken = this.#taken.get(row.objectId) ?? new Set();
    this.#taken.set(row.objectId, taken.add(row.instanceId));
  }
}

function keyOf({ device, objectId, ordinal }: Omit<InstanceRow, "instanceId">): string {
  return `${objectId}/${ordinal}/${device}`;
}

/** Forgets with the process: for `preview` and tests. */
export function memoryInstanceStore(rows: InstanceRow[] = []): InstanceStore {
  return {
    load: () => Promise.resolve([...rows]),
    save: (added) => {
      rows.push(...added);
      return Promise.resolve();
    },
  };
}
