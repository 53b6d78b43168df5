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
