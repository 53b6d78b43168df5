import type { BootstrapServer } from "./bootstrap-server.js";
import type { GatewayUnderTest } from "./gateway.js";
import type { ClientRequest, Server } from "./server.js";

/** What stands ready when a case begins: a gateway of its own, which has just registered. */
export interface Setup {
  readonly server: Server;
  readonly registration: ClientRequest;
  /** Of a case with two servers; the gateway may still be about to register with it. */
  readonly second: Server;
  readonly gateway: GatewayUnderTest;
}

/** One test case of OMA-ETS-LightweightM2M_INT 1.2. */
export interface ConformanceCase {
  /** As `1.1-int-101`. */
  readonly id: string;
  readonly title: string;
  /** An entry criterion of the TestFest (Appendix E.1). */
  readonly entry?: "TestFest";
  /** Configuration C.14 has two servers. */
  readonly servers?: 2;
  /** A device whose readings are there to be sent, one with a position, or two behind prefixes (OMA LwM2M Gateway). */
  readonly field?: "device" | "location" | "behind";
  /** `rights` of the configuration, per server; absent for all of them. */
  readonly rights?: readonly (object | undefined)[];
  /** Further keys of the servers and of the gateway in the configuration. */
  readonly server?: object;
  readonly gateway?: object;
  /** Where the script does otherwise than the ETS prints, and why. */
  readonly note?: string;
  /** Rejects with a Difference. */
  run(setup: Setup): Promise<void>;
}

/** What stands ready when a case of the bootstrap interface begins: a gateway of its own that is just starting. */
export interface BootstrapSetup {
  readonly bootstrap: BootstrapServer;
  readonly server: Server;
}

/** A case of the bootstrap interface: the gateway's file names a bootstrap server. */
export interface BootstrapCase {
  readonly interface: "bootstrap";
  readonly id: string;
  readonly title: string;
  readonly note?: string;
  /** The gateway has the server's account from the beginning; otherwise only a bootstrap can tell of it. */
  readonly factory?: "server";
  readonly field?: "behind";
  /** The gateway begins with a Bootstrap-Pack-Request. */
  readonly pack?: "try";
  /** Before the gateway starts. */
  prepare?(setup: BootstrapSetup): Promise<void>;
  /** Rejects with a Difference. */
  run(setup: BootstrapSetup): Promise<void>;
}

/** A case that is not run, and why. */
export interface UncoveredCase {
  readonly id: string;
  readonly title: string;
  readonly reason: string;
}

export interface Verdict {
  readonly id: string;
  readonly title: string;
  readonly entry: boolean;
  readonly result: "pass" | "differs" | "not covered";
  /** The first difference, the reason why the case is not covered, or the note on a case that passes. */
  readonly what?: string;
}
