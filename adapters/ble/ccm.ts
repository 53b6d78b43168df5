import { createCipheriv, createDecipheriv } from "node:crypto";
import { concatBytes } from "causeway/adapter";

const ALGORITHM = "aes-128-ccm";
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
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: MIC_BYTES });
  decipher.setAuthTag(mic);
  if (associated !== undefined) decipher.setAAD(associated, { plaintextLength: sealed.length });
  try {
    const plain = decipher.update(sealed);
    decipher.final();
    return new Uint8Array(plain);
  } catch {
    // That is how node:crypto says that the code does not match.
    return undefined;
  }
}

/** As `openCcm` opens it; `between` stands before the message integrity code. */
export function sealCcm(
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
  { associated, between = new Uint8Array() }: { readonly associated?: Uint8Array; readonly between?: Uint8Array } = {},
): Uint8Array {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: MIC_BYTES });
  if (associated !== undefined) cipher.setAAD(associated, { plaintextLength: plain.length });
  const sealed = cipher.update(plain);
  cipher.final();
  return concatBytes([sealed, between, cipher.getAuthTag()]);
}
