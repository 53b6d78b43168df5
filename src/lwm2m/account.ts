import type { CoapPeer, RequestHandler } from "../coap/request.js";

/** What is agreed with one server: the facts of its Security (0) and Server (1) object instances. */
export interface ServerAccount {
  /** `coap://host:port` or another scheme that `OpenPeer` understands. */
  readonly uri: string;
  /** 1 to 65534, one per client. */
  readonly shortServerId: number;
  /** Seconds between Updates at most; 0 means that the registration never expires. */
  readonly lifetimeS: number;
  /** Security Mode /0/x/2; "none" when absent. Key material stays with `OpenPeer`, never in the tree. */
  readonly securityMode?: SecurityMode;
  /** Mute Send /1/x/23; "open" when absent. */
  readonly send?: "open" | "muted";
  /** Default Notification Mode /1/x/26; "NON" when absent. */
  readonly notify?: "CON" | "NON";
  /** Default Minimum and Maximum Period /1/x/2 and /1/x/3, seconds; absent means none. */
  readonly defaultPminS?: number;
  readonly defaultPmaxS?: number;
}

export type SecurityMode = "psk" | "rpk" | "x509" | "none";

/**
 * Opens the way to a server; `handler` answers what the server asks over it. Rejects with CausewayError COAP_* or the
 * signal's reason. The client opens a new peer for each attempt that follows a failure of the transport.
 */
export type OpenPeer = (account: ServerAccount, handler: RequestHandler, signal: AbortSignal) => Promise<CoapPeer>;
