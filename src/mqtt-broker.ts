import { createPrivateKey } from "node:crypto";
import { CausewayError, toError } from "./base/errors.js";
import type { AnyAdapter } from "./field/adapter.js";
import type { LinkConfig } from "./field/field.js";
import type { ObjectTree } from "./lwm2m/tree.js";
import type { Value } from "./lwm2m/value.js";
import { bad, readBy } from "./server-instances.js";

export const MQTT_BROKER = 18830;
export const BrokerId = {
  uri: 0,
  clientId: 1,
  cleanSession: 2,
  keepAlive: 3,
  userName: 4,
  password: 5,
  securityMode: 6,
  publicKey: 7,
  brokerKey: 8,
  secretKey: 9,
  certificateUsage: 10,
} as const;
export const SecurityMode = { certificate: 2, none: 3 } as const;
/** The first is for a certificate of who signs the broker's, the other for that of the broker itself. */
const USAGES: readonly number[] = [2, 3];

/** What a value of an instance that a server makes cannot be, by resource; the rest is checked as a whole. */
export const BROKER_PROBLEMS: ReadonlyMap<number, (value: Value) => string | undefined> = new Map<
  number,
  (value: Value) => string | undefined
>([
  [
    BrokerId.uri,
    (value) => (/^mqtts?:\/\//.test(String(value)) ? undefined : "the URI begins with mqtt:// or mqtts://"),
  ],
  [
    BrokerId.keepAlive,
    (value) => (Number(value) > 0 ? undefined : "without Keep Alive nobody notices that a broker is gone"),
  ],
  [
    BrokerId.securityMode,
    (value) =>
      Number(value) === SecurityMode.none || Number(value) === SecurityMode.certificate
        ? undefined
        : "MQTT goes without security (3) or with certificates (2)",
  ],
  [
    BrokerId.certificateUsage,
    (value) =>
      USAGES.includes(Number(value)) ? undefined : "the certificate is a trust anchor (2) or the broker's own (3)",
  ],
]);

/**
 * The link that resources 0 to 10 of an instance describe, named after the instance; undefined while that is not whole.
 * Throws LWM2M_BAD_REQUEST or CONFIG_INVALID. Pure.
 */
export function brokerLink(tree: ObjectTree, instanceId: number, adapter: AnyAdapter): LinkConfig | undefined {
  const at = (id: number): Value | undefined => tree.resource(MQTT_BROKER, instanceId, id)?.samples.get(0)?.value;
  const url = at(BrokerId.uri);
  const keepAliveS = at(BrokerId.keepAlive);
  if (url === undefined || keepAliveS === undefined) return undefined;
  const isSecure = Number(at(BrokerId.securityMode)) === SecurityMode.certificate;
  if (isSecure !== String(url).startsWith("mqtts:")) {
    throw bad(
      isSecure ? "with certificates (Security Mode 2) the URI begins with mqtts://" : "mqtts:// needs Security Mode 2",
    );
  }
  const clientId = at(BrokerId.clientId);
  const userName = at(BrokerId.userName);
  const password = bytesOf(at(BrokerId.password));
  const options = readBy(adapter.link, {
    url,
    // An empty one would be for the broker to choose: the gateway's own name is better found in its log.
    ...(clientId === undefined || clientId === "" ? {} : { clientId }),
    clean: at(BrokerId.cleanSession) ?? true,
    keepalive: `${Number(keepAliveS)}s`,
    ...(userName === undefined || userName === "" ? {} : { username: userName }),
    ...(password === undefined ? {} : { password: Buffer.from(password).toString() }),
    ...(isSecure ? certificatesOf(at) : {}),
  });
  const problem = adapter.linkProblem?.(options);
  if (problem !== undefined) throw bad(problem);
  return { name: linkName(instanceId), adapter: adapter.name, options };
}

/** No link of the file can have this name. */
export function linkName(instanceId: number): string {
  return `/${MQTT_BROKER}/${instanceId}`;
}

function certificatesOf(at: (id: number) => Value | undefined) {
  const ca = bytesOf(at(BrokerId.brokerKey));
  const cert = bytesOf(at(BrokerId.publicKey));
  const key = bytesOf(at(BrokerId.secretKey));
  return {
    ...(ca === undefined ? {} : { ca: pem(ca) }),
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: privateKey(key) }),
  };
}

function bytesOf(value: Value | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array && value.length > 0 ? value : undefined;
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

/** PKCS #8, or SEC 1 of an elliptic curve. Throws CONFIG_INVALID. */
function privateKey(der: Uint8Array): string {
  const read = (type: "pkcs8" | "sec1"): string =>
    createPrivateKey({ key: Buffer.from(der), format: "der", type })
      .export({ format: "pem", type: "pkcs8" })
      .toString();
  try {
    return read("pkcs8");
  } catch {
    try {
      return read("sec1");
    } catch (error) {
      throw new CausewayError("CONFIG_INVALID", "the Secret Key is no private key in DER", { cause: toError(error) });
    }
  }
}
