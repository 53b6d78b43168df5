import { type AlternatePath, formatAlternatePath } from "../alternate-path.js";
import type { Codec, Entry, NamedPath } from "./codec.js";
import { decodeError } from "./convert.js";
import { senmlCborCodec, senmlEtchCborCodec } from "./senml-cbor.js";
import { senmlEtchJsonCodec, senmlJsonCodec } from "./senml-json.js";

/** OMA LwM2M Transport 1.2.1 §6.4.1: in no other format do names carry the alternate path. */
const CARRYING: ReadonlySet<Codec> = new Set([senmlCborCodec, senmlJsonCodec, senmlEtchCborCodec, senmlEtchJsonCodec]);

/**
 * The codec of a client whose objects are below the alternate path: its names carry the path, ahead of a device's
 * prefix, and names that do not are LWM2M_DECODE. Entries and named paths know nothing of it.
 */
export function withAlternateNames(codec: Codec, alternatePath: AlternatePath): Codec {
  if (alternatePath.length === 0 || !CARRYING.has(codec)) return codec;
  const root = alternatePath.join("/");
  const below = (prefix: string | undefined): string => (prefix === undefined ? root : `${root}/${prefix}`);
  const prefixIn = (below: string | undefined): string | undefined => {
    if (below === root) return undefined;
    if (below?.startsWith(`${root}/`)) return below.slice(root.length + 1);
    throw decodeError(`a name is not below ${formatAlternatePath(alternatePath)}`);
  };
  const stripped = <N extends NamedPath>({ prefix: named, ...rest }: N) => {
    const prefix = prefixIn(named);
    return prefix === undefined ? rest : { ...rest, prefix };
  };
  return {
    contentFormat: codec.contentFormat,
    name: codec.name,
    encode: (entries, context) =>
      codec.encode(
        entries.map((entry): Entry => ({ ...entry, prefix: below(entry.prefix) })),
        context,
      ),
    decode: (payload, { prefix, resource, ...context }) =>
      codec
        .decode(payload, {
          ...context,
          ...(prefix === undefined ? {} : { prefix: below(prefix) }),
          resource: (objectId, resourceId, named) => resource(objectId, resourceId, prefixIn(named)),
        })
        .map(stripped),
    decodePaths: (payload) => codec.decodePaths?.(payload).map(stripped) ?? [],
  };
}
