import { ContentFormat, codecOf } from "../lwm2m/codec/formats.js";
import type { ModelRegistry } from "../lwm2m/model/model.js";
import { formatPath } from "../lwm2m/path.js";

/** The values of a Send in SenML CBOR, as text; throws LWM2M_DECODE. */
export function decodeSent(
  payload: Uint8Array,
  models: ModelRegistry,
  nowMs: number,
): readonly { readonly path: string; readonly value: string }[] {
  const codec = codecOf(ContentFormat.senmlCbor);
  const entries = codec?.decode(payload, {
    target: [],
    nowMs,
    resource: (objectId, resourceId) => models.object(objectId)?.resources.get(resourceId),
  });
  return (entries ?? []).map(({ path, value }) => ({ path: formatPath(path), value: String(value) }));
}
