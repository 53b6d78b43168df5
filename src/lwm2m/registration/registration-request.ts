import { NO_BYTES, utf8Encode } from "../../base/bytes.js";
import type { CoapRequest } from "../../coap/request.js";
import { ContentFormat } from "../codec/formats.js";
import type { Lwm2mVersion } from "../model/models.js";

/** What a server is to know of the client, and be told of anew when it changes (OMA LwM2M Core 1.2 §6.2.2). */
export interface RegistrationParameters {
  readonly lifetimeS: number;
  readonly binding: string;
  /** The object list as CoRE links. */
  readonly links: string;
}

/** A Profile ID (OMA LwM2M Core 1.2 §6.2.1), which may stand for the object list. */
export interface ProfileId {
  readonly id: string;
  readonly objects: "sent" | "omitted";
}

/** What a Register says of how the client is to be met. */
export interface RegisterManner {
  /** Set in queue mode (OMA LwM2M Core 1.2 §6.6). */
  readonly awakeMs?: number;
  readonly profile?: ProfileId;
}

/**
 * OMA LwM2M Transport 1.2 §6.4.3; `root` is the path of the server's URI. The second request is for a server that answers
 * the first with 4.09: it does not know the profile.
 */
export function registerRequests(
  root: readonly string[],
  endpoint: string,
  version: Lwm2mVersion,
  { lifetimeS, binding, links }: RegistrationParameters,
  { awakeMs, profile }: RegisterManner,
): readonly [CoapRequest, ...CoapRequest[]] {
  const isQueued = awakeMs !== undefined;
  const query = [`ep=${endpoint}`, `lt=${lifetimeS}`, `lwm2m=${version}`];
  query.push(`b=${binding}${isQueued && version === "1.0" ? "Q" : ""}`);
  if (isQueued && version !== "1.0") query.push("Q");
  const path = [...root, "rd"];
  const list = { contentFormat: ContentFormat.linkFormat, payload: utf8Encode(links) };
  const plain: CoapRequest = { method: "POST", path, query, ...list };
  if (profile === undefined || version !== "1.2") return [plain];
  const payload = profile.objects === "sent" ? list : { payload: NO_BYTES };
  return [{ method: "POST", path, query: [...query, `pid=${profile.id}`], ...payload }, plain];
}

/** Only what has changed; without a change it just refreshes the lifetime. */
export function updateRequest(
  location: readonly string[],
  sent: RegistrationParameters,
  now: RegistrationParameters,
): CoapRequest {
  const query: string[] = [];
  if (now.lifetimeS !== sent.lifetimeS) query.push(`lt=${now.lifetimeS}`);
  if (now.binding !== sent.binding) query.push(`b=${now.binding}`);
  const request = { method: "POST", path: location, query } as const;
  if (now.links === sent.links) return { ...request, payload: NO_BYTES };
  return { ...request, contentFormat: ContentFormat.linkFormat, payload: utf8Encode(now.links) };
}

export function deregisterRequest(location: readonly string[]): CoapRequest {
  return { method: "DELETE", path: location, query: [], payload: NO_BYTES };
}

/** Send (OMA LwM2M Core 1.2 §6.4.6). */
export function sendRequest(root: readonly string[], payload: Uint8Array): CoapRequest {
  return { method: "POST", path: [...root, "dp"], query: [], contentFormat: ContentFormat.senmlCbor, payload };
}

/** The segments of the URI's path, which stand before `rd` and `dp`. */
export function rootOf(uri: string): readonly string[] {
  const path = /^[a-z+]+:\/\/[^/?#]*([^?#]*)/.exec(uri)?.[1] ?? "";
  return path.split("/").filter((segment) => segment !== "");
}
