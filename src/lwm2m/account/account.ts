import type { CoapPeer, RequestHandler } from "../../coap/request.js";
import type { ProfileId } from "../registration/registration-request.js";

/** Whom a peer is opened to. */
export interface PeerAccount {
  /** `coap://host:port` or another scheme that `OpenPeer` understands. */
  readonly uri: string;
  /** Security Mode /0/x/2; "none" when absent. Key material stays with `OpenPeer`. */
  readonly securityMode?: SecurityMode;
  /** 1 to 65534, one per client; a bootstrap server has none. */
  readonly shortServerId?: number;
}

/** What is agreed with one server: the facts of its Security (0) and Server (1) object instances. */
export interface ServerAccount extends PeerAccount {
  readonly shortServerId: number;
  /** Seconds between Updates at most; 0 means that the registration never expires. */
  readonly lifetimeS: number;
  /** Mute Send /1/x/23; "open" when absent. */
  readonly send?: "open" | "muted";
  /** Default Notification Mode /1/x/26; "NON" when absent. */
  readonly notify?: "CON" | "NON";
  /** Default Minimum and Maximum Period /1/x/2 and /1/x/3, seconds; absent means none. */
  readonly defaultPminS?: number;
  readonly defaultPmaxS?: number;
  /** The standard's defaults where it says nothing. */
  readonly registration?: AccountRegistration;
  /** In queue mode the client is reachable for this long after each message; without it, always. */
  readonly awakeMs?: number;
  /** Registers by a profile. */
  readonly profile?: ProfileId;
}

/** How registering goes on when it fails: resources 13 to 20 of object 1 (OMA LwM2M Core 1.2 §6.2.1.1). */
export interface AccountRegistration {
  readonly priority?: number;
  /** Whether servers of lower priority register although this one cannot be registered with. */
  readonly onFailure?: "block" | "proceed";
  readonly bootstrapOnFailure?: boolean;
  readonly initialDelayS?: number;
  readonly retryCount?: number;
  readonly retryTimerS?: number;
  readonly sequenceDelayS?: number;
  readonly sequenceRetryCount?: number;
}

/** What is agreed with the bootstrap server: the facts of its Security (0) object instance. */
export interface BootstrapAccount extends PeerAccount {
  readonly shortServerId?: never;
  /** Client Hold Off Time /0/x/11: seconds before the first request; 0 when absent. */
  readonly holdOffS?: number;
  /** Bootstrap-Server Account Timeout /0/x/12: seconds that the account outlives a bootstrap; absent or 0 means for ever. */
  readonly accountTimeoutS?: number;
  /** Whether a bootstrap begins with a Bootstrap-Pack-Request; "never" when absent. */
  readonly pack?: "try" | "never";
}

/** "x509" with keys from the account, "est" with those of an enrolment. */
export type SecurityMode = "psk" | "rpk" | "x509" | "est" | "none";

/**
 * Opens the way to a server; `handler` answers what the server asks over it. Rejects with CausewayError COAP_* or the
 * signal's reason. The client opens a new peer for each attempt that follows a failure of the transport, and would then
 * have the `localAddress` of the peer before, by which the server knows it.
 */
export type OpenPeer = (
  account: PeerAccount,
  handler: RequestHandler,
  signal: AbortSignal,
  localAddress?: string,
) => Promise<CoapPeer>;
