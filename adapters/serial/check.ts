import {
  byteFormatProblem,
  type DeviceTraits,
  groupCount,
  type Point,
  parseJsonPath,
  type Variables,
  variablesOf,
} from "causeway/adapter";
import type { Framing } from "./framer.js";
import {
  byteFormatOf,
  type FrameKind,
  frameOf,
  type Match,
  protocolOf,
  type SerialLinkOptions,
  type SerialPlace,
  type SerialPoint,
  type SerialProtocol,
  type SerialWrite,
  type Template,
} from "./options.js";

export function linkProblem({ host, port }: SerialLinkOptions): string | undefined {
  if (host === undefined) return typeof port === "string" ? undefined : "'port' is the path of a serial port";
  return typeof port === "number" ? undefined : "with 'host', 'port' is a number";
}

export function traitsProblem({ protocol }: DeviceTraits): string | undefined {
  const { framing, frames, session, checksum } = protocolOf(protocol);
  if (session !== undefined) {
    const surplus = framing !== undefined || frames !== undefined || checksum !== undefined;
    return surplus ? `the session ${session} has its own framing, frames and checksum` : undefined;
  }
  if (framing === undefined) return "'protocol.framing' is missing: how frames stand on the line";
  if (frames === undefined || frames.size === 0) return "'protocol.frames' is missing: which frames there are";
  const problems = [framingProblem(framing), ...[...frames].map(([name, kind]) => kindProblem(name, kind))];
  return problems.find((problem) => problem !== undefined);
}

function framingProblem({ end, tail, length, lengthField, gapMs }: Framing): string | undefined {
  const counts = [length, lengthField, gapMs].filter((way) => way !== undefined).length;
  if (counts > 1 || (counts === 0 && end === undefined)) {
    return "'protocol.framing' needs one of end, length, lengthField and gap";
  }
  return tail !== undefined && end === undefined ? "'tail' counts bytes behind 'end'" : undefined;
}

function kindProblem(name: string, { match, request, refusals }: FrameKind): string | undefined {
  const patterns = [...(refusals?.keys() ?? [])].map(patternProblem);
  const problems = [matchProblem(match), templateProblem(request), ...patterns];
  const problem = problems.find((text) => text !== undefined);
  return problem === undefined ? undefined : `protocol.frames.${name}: ${problem}`;
}

export function pointProblem(
  point: SerialPoint,
  { protocol }: DeviceTraits,
  access: Point<SerialPoint>["access"],
): string | undefined {
  const { at, write } = point;
  if (access !== "w" && at === undefined) return "'at' is missing: where the value stands";
  if (access !== "r" && write === undefined) return `access ${access} needs 'write'`;
  const problem = at === undefined ? undefined : (placeProblem(at) ?? frameProblem(point, protocolOf(protocol)));
  return problem ?? typeProblem(point) ?? (write === undefined ? undefined : writeProblem(write));
}

export function stationProblem(
  variables: Variables,
  points: readonly Point<SerialPoint>[],
  { protocol }: DeviceTraits,
): string | undefined {
  const requests = [...(protocolOf(protocol).frames?.values() ?? [])].map(({ request }) => request);
  const writes = points.map(({ address }) => address.write?.request);
  const needed = [...requests, ...writes].flatMap((template) =>
    template === undefined ? [] : variablesOf(sourceOf(template)),
  );
  const missing = new Set(needed.filter((name) => !variables.has(name) && name !== "value" && name !== "checksum"));
  if (missing.size === 0) return undefined;
  return `the profile's requests need ${[...missing].join(", ")}, e.g. address: { ${[...missing][0]}: 1 }`;
}

function frameProblem(point: SerialPoint, protocol: SerialProtocol): string | undefined {
  if (protocol.session !== undefined) {
    return point.at?.frame === undefined ? undefined : `the session ${protocol.session} has no named frames`;
  }
  const name = frameOf(point, protocol);
  const known = [...(protocol.frames?.keys() ?? [])].join(", ");
  if (name === undefined) return `'at.frame' is missing: ${known}`;
  return protocol.frames?.has(name) === true ? undefined : `no frame '${name}' in 'protocol.frames': ${known}`;
}

function placeProblem({ csv, json, obis, match, offset, group }: SerialPlace): string | undefined {
  const places = [csv, json, obis, offset].filter((place) => place !== undefined).length;
  if (places > 1) return "'at' has only one of csv, json, obis and offset";
  if (match !== undefined && places === 1 && obis === undefined) return "'match' stands alone or with 'obis'";
  if (group !== undefined && match === undefined && obis === undefined) return "'group' belongs to 'match' or 'obis'";
  if (json !== undefined && parseJsonPath(json) === undefined) return `'${json}' is no path such as $.a.b[0]`;
  return match === undefined ? undefined : groupProblem(match, group ?? 1);
}

function typeProblem(point: SerialPoint): string | undefined {
  const { at, type, order, bits } = point;
  const format = byteFormatOf(point);
  if (type === "decimal" && at?.offset === undefined) return "a decimal needs 'at.offset'";
  if (type === "angle" && at?.csv === undefined) return "an angle stands in two fields, the first at 'at.csv'";
  if (format !== undefined && at !== undefined && at.offset === undefined) return `${format.type} needs 'at.offset'`;
  if (
    format === undefined &&
    ((at?.offset !== undefined && type !== "decimal") || order !== undefined || bits !== undefined)
  ) {
    return "only numbers of bytes, such as uint16, have 'offset', 'order' and 'bits'";
  }
  return format === undefined ? undefined : byteFormatProblem(format);
}

function writeProblem({ request, map, reply }: SerialWrite): string | undefined {
  const problem = templateProblem(request) ?? matchProblem(reply);
  if (problem !== undefined) return `write: ${problem}`;
  if (!sourceOf(request).includes("{value}")) return "'write.request' has no {value}";
  const odd =
    "hex" in request ? [...(map?.values() ?? [])].find((word) => !/^([0-9a-fA-F]{2}\s*)+$/.test(word)) : undefined;
  return odd === undefined ? undefined : `write.map: '${odd}' is not hexadecimal`;
}

function templateProblem(template: Template | undefined): string | undefined {
  if (template === undefined || "text" in template) return undefined;
  const plain = template.hex.replaceAll(/\{\w+\}/g, "00");
  return /^(\s*[0-9a-fA-F]{2})+\s*$/.test(plain) ? undefined : `'${template.hex}' is not hexadecimal`;
}

function sourceOf(template: Template): string {
  return "hex" in template ? template.hex : template.text;
}

function matchProblem(match: Match | undefined): string | undefined {
  return match === undefined || "start" in match ? undefined : patternProblem(match.text);
}

function patternProblem(pattern: string): string | undefined {
  return groupProblem(pattern, 0);
}

function groupProblem(pattern: string, group: number): string | undefined {
  const groups = groupCount(pattern);
  if (groups === undefined) return `'${pattern}' is no regular expression`;
  return groups < group ? `'${pattern}' has no group ${group}, in parentheses, around the value` : undefined;
}
