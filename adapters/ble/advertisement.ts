/** What a controller heard of a device at once. */
export interface Advertisement {
  readonly name?: string;
  readonly rssi?: number;
  readonly txPower?: number;
  /** By company identifier. BlueZ also keeps what a device advertised before under another one. */
  readonly manufacturer?: ReadonlyMap<number, Uint8Array>;
  /** Company identifier that came last, where that is certain. */
  readonly newestCompany?: number;
  /** By UUID in full. */
  readonly services?: ReadonlyMap<string, Uint8Array>;
}
