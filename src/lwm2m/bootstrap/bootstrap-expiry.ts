import type { Clock, Timer } from "../../base/clock.js";
import type { Log } from "../../base/log.js";
import { accountsOf, valueAt } from "../account/accounts.js";
import { ServerId } from "../objects/server.js";
import { parsePath } from "../path.js";
import type { ObjectTree } from "../tree.js";
import { bootstrapInstances } from "./bootstrap-draft.js";

/**
 * Bootstrap-Server Account Timeout /0/x/12: so long after the last bootstrap the account is purged, also when that was
 * before a restart (OMA LwM2M Core 1.2 §6.1.3.3).
 */
export class BootstrapExpiry implements Disposable {
  readonly #tree: ObjectTree;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onExpired: () => void;
  #timer: Timer | undefined;

  /** Begins with what the tree says of the last bootstrap. */
  constructor(tree: ObjectTree, clock: Clock, log: Log, onExpired: () => void) {
    this.#tree = tree;
    this.#clock = clock;
    this.#log = log;
    this.#onExpired = onExpired;
    this.arm();
  }

  /** A bootstrap was finished: the time begins anew, as the account says now. */
  arm(): void {
    this.#timer?.cancel();
    const timeoutS = accountsOf(this.#tree).bootstrap?.accountTimeoutS ?? 0;
    const bootstrappedS = this.#bootstrappedS();
    if (timeoutS === 0 || bootstrappedS === undefined) return;
    const delayMs = (bootstrappedS + timeoutS) * 1000 - this.#clock.nowMs();
    this.#timer = this.#clock.schedule(delayMs, () => this.#purge());
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #purge(): void {
    for (const instance of bootstrapInstances(this.#tree)) {
      const [objectId = -1, instanceId = -1] = parsePath(instance);
      this.#tree.removeInstance(objectId, instanceId);
    }
    this.#log.info("the bootstrap server's account has expired and is gone");
    this.#onExpired();
  }

  #bootstrappedS(): number | undefined {
    const times = [...(this.#tree.objects.get(1)?.instances.keys() ?? [])].map((instanceId) =>
      valueAt(this.#tree, 1, instanceId, ServerId.lastBootstrapped),
    );
    const known = times.filter((time) => typeof time === "number");
    return known.length === 0 ? undefined : Math.max(...known);
  }
}
