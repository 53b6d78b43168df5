import { oneOf, type Problems, refine, type Schema, string } from "../base/schema.js";
import type { Located } from "../base/source.js";
import type { History } from "./config.js";

/** What servers and the bootstrap server have in common. */

const SCHEMES = ["coap", "coaps", "coap+tcp", "coaps+tcp"];

export const serverUri: Schema<string> = refine(string, (uri) => {
  const scheme = /^([a-z+]+):\/\/[^/]+/.exec(uri)?.[1];
  if (scheme === undefined) return `'${uri}' is not a URI such as coap://192.0.2.1:5683`;
  if (!SCHEMES.includes(scheme)) return `unknown scheme '${scheme}', expected ${SCHEMES.join(" | ")}`;
  if (scheme !== "coap") return `'${scheme}' is not available in this version; use coap`;
  return URL.canParse(uri.replace(/^[a-z+]+/, "http")) ? undefined : `'${uri}' has no usable host and port`;
});

/** Kept as it stands in the file, for a schema that is known only later. */
export const unread: Schema<Located> = { json: {}, read: (source) => source };

export const securitySetting = unread;
export const historySetting: Schema<History> = oneOf("send", "notify", "none");

export function readSecurity(security: Located | undefined, path: string, problems: Problems): void {
  if (security === undefined || (security.kind === "scalar" && security.value === "none")) return;
  problems.add(security.at, path, "secure transports are not available in this version; use none");
}
