import type { PeerAccount, SecurityMode } from "../account/account.js";
import type { ModelRegistry } from "../model/model.js";
import type { ObjectEntry, ObjectTree } from "../tree.js";
import type { Value } from "../value.js";
import { requireModel } from "./require-model.js";

/** Resources of object 0 (OMA LwM2M Core 1.2 Appendix E.1). */
export const SecurityId = {
  uri: 0,
  bootstrap: 1,
  mode: 2,
  identity: 3,
  serverKey: 4,
  secretKey: 5,
  shortServerId: 10,
  holdOff: 11,
  accountTimeout: 12,
  oscore: 17,
  mqtt: 26,
  cose: 27,
} as const;

/** Security Mode /0/x/2. */
const MODES: readonly SecurityMode[] = ["psk", "rpk", "x509", "none", "est"];

/** Adds object 0; throws LWM2M_MODEL. */
export function addSecurityObject(tree: ObjectTree, models: ModelRegistry): ObjectEntry {
  return tree.addObject(requireModel(models, 0), {
    by: "bootstrap",
    create: () => new Map(),
    removed: () => undefined,
  });
}

/** What an instance of object 0 holds of an account. Keys of the configuration stay out of the tree. */
export function securityValues(account: PeerAccount): readonly (readonly [number, Value])[] {
  const { uri, securityMode = "none", shortServerId } = account;
  return [
    [SecurityId.uri, uri],
    [SecurityId.bootstrap, shortServerId === undefined],
    [SecurityId.mode, MODES.indexOf(securityMode)],
    ...(shortServerId === undefined ? [] : ([[SecurityId.shortServerId, shortServerId]] as const)),
  ];
}

/** Undefined for a number that the standard does not know. */
export function securityMode(mode: Value | undefined): SecurityMode | undefined {
  return typeof mode === "number" ? MODES[mode] : undefined;
}
