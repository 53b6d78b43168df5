import { createDecipheriv } from "node:crypto";

/** All formats here cut the message integrity code to so many bytes. */
export const MIC_BYTES = 4;

/** AES-128-CCM (RFC 3610). Undefined when the message was not made with this key, nonce and data. */
export function openCcm(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  mic: Uint8Array,
  associated?: Uint8Array,
): Uint8Array | undefined {
  const decipher = createDecipheriv("aes-128-ccm", key, nonce, { authTagLength: MIC_BYTES });
  decipher.setAuthTag(mic);
  if (associated !== undefined) decipher.setAAD(associated, { plaintextLength: sealed.length });
  try {
    const plain = decipher.update(sealed);
    decipher.final();
    return plain;
  } catch {
    // That is how node:crypto says that the code does not match.
    return undefined;
  }
}
