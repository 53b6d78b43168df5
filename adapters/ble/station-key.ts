import { CausewayError, fromHex, type LinkContext, type Station } from "causeway/adapter";
import type { BleStation } from "./options.js";

/**
 * The 16 bytes with which the station encrypts; undefined when it has no key. Rejects with CONFIG_SECRET_MISSING or
 * CONFIG_INVALID, neither of which shows the key.
 */
export async function stationKey(
  { name, address }: Station<BleStation>,
  { secret }: Pick<LinkContext, "secret">,
): Promise<Uint8Array | undefined> {
  if (address.key === undefined) return undefined;
  const text = (await secret(address.key)).trim();
  if (/^[0-9a-fA-F]{32}$/.test(text)) return fromHex(text);
  throw new CausewayError("CONFIG_INVALID", `'key' of ${name} must be 32 hex digits, it has ${text.length} characters`);
}
