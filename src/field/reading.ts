/** What a field device speaks: numbers, 64-bit integers, switches, text, raw bytes. */
export type Scalar = number | bigint | boolean | string | Uint8Array;

/** Why a value can or cannot be trusted; a fault never becomes a zero. */
export type Quality =
  | "good"
  | "stale"
  | "timeout"
  | "crc"
  | "exception"
  | "invalid"
  | "out-of-range"
  | "unsupported"
  | "never-read"
  | "manual";

export type FaultQuality = Exclude<Quality, "good" | "manual">;

/** What one poll learned of one point. */
export type Reading =
  | { readonly point: string; readonly atMs: number; readonly quality: "good" | "manual"; readonly value: Scalar }
  | {
      readonly point: string;
      readonly atMs: number;
      readonly quality: FaultQuality;
      /** For people, e.g. "exception 2, illegal data address". */
      readonly reason: string;
      /** What was read, where something was (invalid, out-of-range). */
      readonly value?: Scalar;
    };
