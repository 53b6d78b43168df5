import type { Clock } from "../base/clock.js";
import type { Log } from "../base/log.js";
import type { BootstrapAccount, OpenPeer, ServerAccount } from "./account/account.js";
import type { AlternatePath } from "./alternate-path.js";
import type { ModelRegistry } from "./model/model.js";
import type { Lwm2mVersion } from "./model/models.js";
import type { AccessControl } from "./objects/access-control.js";
import type { GatewayObject } from "./objects/gateway.js";
import type { ClientState } from "./state/client-state.js";
import type { ObjectTree } from "./tree.js";
import type { Why } from "./why.js";

export interface ClientOptions {
  /** Endpoint client name, a URN by preference (OMA LwM2M Core 1.2 §7.4). */
  readonly endpoint: string;
  /** The client adds objects 0 and 1 for its accounts; object 3 (`addDevice`) and all others are the caller's. */
  readonly tree: ObjectTree;
  /** Below which servers find the objects; `/` when absent. */
  readonly alternatePath?: AlternatePath;
  /** Devices behind the gateway; absent where there are none. */
  readonly gateway?: GatewayObject;
  /** Object 2 of the tree; without it every server may do everything. */
  readonly access?: AccessControl;
  readonly models: ModelRegistry;
  /** Those of the configuration; a bootstrap may replace them. */
  readonly servers: readonly ServerAccount[];
  readonly bootstrap?: BootstrapAccount;
  /** Where the client keeps what outlives the process; without it, it begins anew each time. */
  readonly state?: ClientState;
  /** Asked when the client is closed: whether the registration with a server ends with it; "deregister" when absent. */
  readonly ending?: (account: ServerAccount) => "deregister" | "suspend";
  readonly openPeer: OpenPeer;
  /** Of the URIs that `openPeer` takes: a bootstrap that gives others is refused. Any when absent. */
  readonly schemes?: ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1; spreads retries. */
  readonly random: () => number;
  /**
   * When nothing has proven for this long that a server lives, the next notification to it is confirmable; the 24 hours
   * of RFC 7641 §4.5 when absent. Shorter means that a server that went away is noticed sooner.
   */
  readonly confirmEveryMs?: number;
  /** Hears why something was sent, or not. */
  readonly why?: Why;
}

/** What is known of one server at this moment; times are wall clock milliseconds. */
export interface RegistrationStatus {
  readonly shortServerId: number;
  readonly uri: string;
  /**
   * `waiting` for the next attempt (`retryAtMs`), `disabled` by the server (until `retryAtMs`). An Update under way
   * still counts as registered, also `asleep` in queue mode. `lost` and `reviving`: out of touch, but the server may
   * still have the registration. `held` while a bootstrap is under way.
   */
  readonly state:
    | "idle"
    | "registering"
    | "registered"
    | "asleep"
    | "lost"
    | "reviving"
    | "held"
    | "waiting"
    | "disabled"
    | "deregistering"
    | "closed";
  /** The version that the server accepted. */
  readonly version?: Lwm2mVersion;
  /** When the server accepted the present registration; absent while there is none. */
  readonly registeredAtMs?: number;
  /** When the server was last in touch again after an outage, without a new registration. */
  readonly backAtMs?: number;
  /** When the newest message that the server has acknowledged was sent: it lived then. */
  readonly provenAtMs?: number;
  readonly retryAtMs?: number;
  /** Why the last attempt failed: an error code, or a response code such as "4.03". */
  readonly lastFailure?: string;
  readonly observations: number;
}
