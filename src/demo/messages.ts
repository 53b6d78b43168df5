import type { Scalar } from "../field/reading.js";

/** What the embedded LwM2M server's process tells the demo. */
export type ServerMessage =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "registered"; readonly endpoint: string; readonly objects: readonly string[] }
  | {
      readonly kind: "value";
      readonly how: "observed" | "notified" | "sent";
      readonly path: string;
      readonly value: string;
    }
  | { readonly kind: "written"; readonly path: string; readonly code: string };

/** What the demo asks of it. */
export type ServerCommand = { readonly kind: "write"; readonly path: string; readonly value: string };

/** What the simulated field's process tells the demo: how to reach it, and what a relay holds after a write. */
export type FieldMessage =
  | { readonly kind: "listening"; readonly link: unknown }
  | { readonly kind: "state"; readonly station: string; readonly point: string; readonly value: Scalar };

export type FieldCommand = { readonly kind: "get"; readonly station: string; readonly point: string };
