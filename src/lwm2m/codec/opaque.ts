import { CausewayError } from "../../base/errors.js";
import { formatPath } from "../path.js";
import type { Codec } from "./codec.js";
import { decodeError, singleEntry, typeAt } from "./convert.js";

/** The bytes of one opaque value (OMA LwM2M Core 1.2 §7.5.2). */
export const opaqueCodec: Codec = {
  contentFormat: 42,
  name: "application/octet-stream",
  encode(entries) {
    const { path, value } = singleEntry(entries, "application/octet-stream");
    if (value instanceof Uint8Array) return value;
    throw new CausewayError("LWM2M_NOT_ACCEPTABLE", `${formatPath(path)} is not opaque`);
  },
  decode(payload, context) {
    const path = context.target;
    const type = typeAt(path, context);
    if (type === undefined) return [];
    if (type !== "opaque") throw decodeError(`${formatPath(path)} takes ${type}, not opaque`);
    return [{ path, value: new Uint8Array(payload) }];
  },
};
