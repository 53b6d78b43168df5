import { type Log, silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { type BootstrapAccount, Lwm2mClient, type ServerAccount } from "../../src/lwm2m/client.js";
import type { ModelRegistry, ObjectModel } from "../../src/lwm2m/model/model.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import type { AccessControl } from "../../src/lwm2m/objects/access-control.js";
import { addDevice, type Device } from "../../src/lwm2m/objects/device.js";
import type { GatewayObject } from "../../src/lwm2m/objects/gateway.js";
import type { ClientState } from "../../src/lwm2m/state/client-state.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";
import { FakeClock, settle } from "./clock.js";
import { FakeLwm2mServer } from "./lwm2m-server.js";

export const shippedModels: ModelRegistry = await loadModels();

export function model(objectId: number, version?: string): ObjectModel {
  const found = shippedModels.object(objectId, version);
  if (found === undefined) throw new Error(`no object ${objectId}`);
  return found;
}

export interface Bench {
  readonly clock: FakeClock;
  readonly tree: ObjectTree;
  readonly client: Lwm2mClient;
  /** One per account. */
  readonly servers: readonly FakeLwm2mServer[];
  readonly server: FakeLwm2mServer;
  readonly bootstrapServer: FakeLwm2mServer;
  readonly device: Device;
  readonly reboots: () => number;
  readonly scope: Scope;
}

export interface BenchOptions {
  readonly accounts?: readonly Partial<ServerAccount>[];
  /** coap://192.0.2.9, where it says nothing else. */
  readonly bootstrap?: Partial<BootstrapAccount>;
  readonly state?: ClientState;
  readonly log?: Log;
  readonly confirmEveryMs?: number;
  readonly alternatePath?: readonly string[];
  /** Makes what stands behind prefixes, before the client starts. */
  gateway?(tree: ObjectTree, clock: FakeClock): GatewayObject;
  /** Makes object 2. */
  access?(tree: ObjectTree, clock: FakeClock): AccessControl;
  /** Fills the tree before the client starts. */
  prepare?(tree: ObjectTree, server: FakeLwm2mServer): void;
  /** Adds objects that need a clock. */
  objects?(tree: ObjectTree, clock: FakeClock): void;
}

/** A real client with object 3 against scripted servers, started and settled. */
export async function startBench({
  accounts = [{}],
  bootstrap,
  state,
  log = silentLog,
  confirmEveryMs,
  alternatePath = [],
  gateway,
  access,
  prepare,
  objects,
}: BenchOptions = {}): Promise<Bench> {
  const clock = new FakeClock();
  const tree = new ObjectTree();
  let reboots = 0;
  const facts = {
    manufacturer: "Causeway",
    modelNumber: "gateway",
    firmwareVersion: "1.0.0",
    binding: "U",
    memoryFreeKb: () => 1000,
    memoryTotalKb: () => 4000,
    reboot: () => {
      reboots++;
    },
  };
  const device = addDevice(tree, shippedModels, facts, clock);
  const servers = accounts.map(() => new FakeLwm2mServer());
  const [server = new FakeLwm2mServer()] = servers;
  const bootstrapServer = new FakeLwm2mServer();
  const control = access?.(tree, clock);
  prepare?.(tree, server);
  objects?.(tree, clock);
  const client = new Lwm2mClient({
    endpoint: "urn:dev:os:32473-1",
    tree,
    alternatePath,
    ...(gateway === undefined ? {} : { gateway: gateway(tree, clock) }),
    ...(control === undefined ? {} : { access: control }),
    models: shippedModels,
    servers: accounts.map((account, index) => ({
      uri: `coap://192.0.2.${index + 1}:5683`,
      shortServerId: index + 1,
      lifetimeS: 300,
      ...account,
    })),
    ...(bootstrap === undefined ? {} : { bootstrap: { uri: "coap://192.0.2.9", ...bootstrap } }),
    ...(state === undefined ? {} : { state }),
    openPeer({ uri, shortServerId }, handler, signal) {
      const peer = shortServerId === undefined ? bootstrapServer : (servers[shortServerId - 1] ?? server);
      return peer.openPeer({ uri }, handler, signal);
    },
    clock,
    log,
    random: () => 0,
    ...(confirmEveryMs === undefined ? {} : { confirmEveryMs }),
  });
  const scope = new Scope((error) => {
    throw error;
  });
  client.start(scope);
  await settle();
  return { clock, tree, client, servers, server, bootstrapServer, device, reboots: () => reboots, scope };
}
