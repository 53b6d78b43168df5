import type { ClientOptions } from "../client-options.js";
import { keepServers } from "../observation/kept-observations.js";
import { parsePath } from "../path.js";
import type { ClientState, Json } from "../state/client-state.js";
import { KeptInstances } from "../state/kept-instances.js";
import type { ServerAccount } from "./account.js";
import { accountsOf, addBootstrapAccount, addServerAccount, type PlacedServerAccount } from "./accounts.js";

/** Security, Server and Access Control. */
const ACCOUNT_OBJECTS: ReadonlySet<number | undefined> = new Set([0, 1, 2]);
const ORIGIN = "origin";

/**
 * The accounts of a client, in its tree and over restarts. Those of the configuration hold until a bootstrap or a server
 * changes them, and again as soon as the configuration has others.
 */
export class KeptAccounts implements Disposable {
  readonly instances: KeptInstances;
  readonly #options: ClientOptions;

  /** Objects 0 and 1 are in the tree already. */
  constructor(options: ClientOptions, state: ClientState) {
    const { tree, clock, log, servers, bootstrap } = options;
    this.#options = options;
    this.instances = new KeptInstances(tree, state, log);
    const origin = JSON.stringify({ servers, bootstrap: bootstrap ?? null });
    const known = state.load("accounts").get(ORIGIN);
    if (known !== origin) {
      if (known !== undefined) keepServers(state, unmoved(known, servers));
      if (known !== undefined) log.info("the accounts of the configuration are others now, and take effect");
      for (const key of state.load("instances").keys()) {
        if (ACCOUNT_OBJECTS.has(parsePath(key)[0])) state.remove("instances", key);
      }
      state.put("accounts", ORIGIN, origin);
    }
    this.instances.restore(clock.nowMs());
    const restored = accountsOf(tree);
    if (restored.servers.length === 0 && restored.bootstrap === undefined) this.#addConfigured();
  }

  /** The server accounts in the tree, with what the configuration says of how to meet them. */
  get servers(): readonly PlacedServerAccount[] {
    return accountsOf(this.#options.tree).servers.map((account) => {
      const configured = this.#options.servers.find(({ shortServerId }) => shortServerId === account.shortServerId);
      const { awakeMs, profile } = configured ?? {};
      return {
        ...account,
        ...(awakeMs === undefined ? {} : { awakeMs }),
        ...(profile === undefined ? {} : { profile }),
      };
    });
  }

  [Symbol.dispose](): void {
    this.instances[Symbol.dispose]();
  }

  #addConfigured(): void {
    const { tree, clock, servers, bootstrap } = this.#options;
    // Halves of accounts may be left.
    for (const objectId of [0, 1]) {
      for (const id of [...(tree.objects.get(objectId)?.instances.keys() ?? [])]) tree.removeInstance(objectId, id);
    }
    for (const [instanceId, account] of servers.entries()) addServerAccount(tree, instanceId, account, clock.nowMs());
    if (bootstrap !== undefined) addBootstrapAccount(tree, Math.max(1, servers.length), bootstrap, clock.nowMs());
  }
}

/** Ids that mean the same server as in the configuration before: without `shortServerId` they are places in a list. */
function unmoved(known: Json, servers: readonly ServerAccount[]): ReadonlySet<number> {
  const before = new Set(typeof known === "string" ? placesOf(JSON.parse(known)) : []);
  return new Set(servers.filter((server) => before.has(placeOf(server))).map(({ shortServerId }) => shortServerId));
}

function placesOf({ servers = [] }: { readonly servers?: readonly ServerAccount[] }): readonly string[] {
  return servers.map(placeOf);
}

function placeOf({ shortServerId, uri }: ServerAccount): string {
  return `${shortServerId} ${uri}`;
}
