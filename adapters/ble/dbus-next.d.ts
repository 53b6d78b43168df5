// Parts of dbus-next that its own types leave out.
declare module "dbus-next/lib/connection.js" {
  import type { EventEmitter } from "node:events";
  import type { Duplex } from "node:stream";
  import type { Message } from "dbus-next";

  export interface Connection extends EventEmitter {
    readonly stream: Duplex;
    message(message: Message): void;
  }

  export default function createConnection(options: {
    readonly busAddress: string;
    readonly authMethods?: readonly string[];
  }): Connection;
}

declare module "dbus-next/lib/message.js" {
  interface Raw {
    readonly [field: string]: unknown;
  }

  const codec: { marshall(message: Raw): readonly [Buffer, readonly unknown[]] };
  export default codec;
}

declare module "dbus-next/lib/signature.js" {
  export interface TypeTree {
    readonly type: string;
    readonly child: readonly TypeTree[];
  }

  export function parseSignature(signature: string): readonly TypeTree[];
}
