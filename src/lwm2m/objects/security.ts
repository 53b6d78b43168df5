import type { SecurityMode, ServerAccount } from "../account.js";
import type { ModelRegistry } from "../model.js";
import type { ObjectTree } from "../tree.js";
import type { Value } from "../value.js";
import { requireModel } from "./require-model.js";

/** Security Mode /0/x/2 (OMA LwM2M Core 1.2 Appendix E.1). */
const MODE: Readonly<Record<SecurityMode, number>> = { psk: 0, rpk: 1, x509: 2, none: 3 };

/**
 * Adds the account as an instance of object 0. Keys stay out of the tree; no server may read the object anyway. Throws
 * LWM2M_MODEL.
 */
export function addSecurity(
  tree: ObjectTree,
  models: ModelRegistry,
  instanceId: number,
  account: ServerAccount,
  nowMs: number,
): void {
  tree.addInstance(requireModel(models, 0), instanceId);
  const values: readonly [number, Value][] = [
    [0, account.uri],
    [1, false],
    [2, MODE[account.securityMode ?? "none"]],
    [10, account.shortServerId],
  ];
  for (const [resourceId, value] of values) tree.set([0, instanceId, resourceId], { value, atMs: nowMs });
}
