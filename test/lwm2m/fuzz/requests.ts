import { fromHex, utf8Encode } from "../../../src/base/bytes.js";
import { METHOD_CODE } from "../../../src/coap/code.js";
import type { OutgoingMessage } from "../../../src/coap/message.js";
import { OptionNumber, type OutgoingOption } from "../../../src/coap/options.js";
import type { Method } from "../../../src/coap/request.js";
import type { Entry } from "../../../src/lwm2m/codec/codec.js";
import { ContentFormat, codecOf } from "../../../src/lwm2m/codec/formats.js";
import { parsePath } from "../../../src/lwm2m/path.js";

/** A request without its message id and token, which are drawn for each use. */
export type Template = Pick<OutgoingMessage, "code" | "options" | "payload">;

interface More {
  readonly accept?: number;
  readonly format?: number;
  readonly observe?: number;
  readonly payload?: string | Uint8Array;
}

export function request(
  method: Method,
  target: string,
  { accept, format, observe, payload = "" }: More = {},
): Template {
  const [path = "", query] = target.split("?");
  const options: OutgoingOption[] = [];
  if (observe !== undefined) options.push({ number: OptionNumber.Observe, value: observe });
  for (const value of path.split("/").slice(1)) if (value !== "") options.push({ number: OptionNumber.UriPath, value });
  if (format !== undefined) options.push({ number: OptionNumber.ContentFormat, value: format });
  for (const value of query?.split("&") ?? []) options.push({ number: OptionNumber.UriQuery, value });
  if (accept !== undefined) options.push({ number: OptionNumber.Accept, value: accept });
  return {
    code: METHOD_CODE[method],
    options,
    payload: typeof payload === "string" ? utf8Encode(payload) : payload,
  };
}

const READ_FORMATS = [
  ContentFormat.text,
  ContentFormat.cbor,
  ContentFormat.senmlJson,
  ContentFormat.senmlCbor,
  ContentFormat.tlv,
  ContentFormat.json,
  ContentFormat.lwm2mCbor,
];
const TARGETS = [
  "/19",
  "/500/0",
  "/3",
  "/3/0",
  "/3/0/0",
  "/3/0/11",
  "/3/0/11/0",
  "/1/0",
  "/25",
  "/d01/3303/0",
  "/d02/3306/0/5850",
  "/16",
];

/** Values of a Write or Create in each format that has names or structure. */
function written(target: string, entries: readonly Entry[]): readonly (readonly [number, Uint8Array])[] {
  const formats = [ContentFormat.senmlJson, ContentFormat.senmlCbor, ContentFormat.tlv, ContentFormat.lwm2mCbor];
  return formats.map((format) => {
    const payload = codecOf(format)?.encode(entries, { target: parsePath(target), nowMs: 0 });
    if (payload === undefined) throw new Error(`no codec for ${format}`);
    return [format, payload] as const;
  });
}

const SERVER: readonly Entry[] = [
  { path: [1, 0, 2], type: "integer", value: 1 },
  { path: [1, 0, 3], type: "integer", value: 60 },
  { path: [1, 0, 6], type: "boolean", value: true },
];
const PORTFOLIO: readonly Entry[] = [
  { path: [16, 5, 0, 0], type: "string", value: "Host Device ID #1" },
  { path: [16, 5, 0, 3], type: "string", value: "Host Device SW #1" },
];
const DATA: readonly Entry[] = [
  { path: [3442, 0, 110], type: "string", value: "text" },
  { path: [3442, 0, 120], type: "integer", value: -1 },
  { path: [3442, 0, 130], type: "float", value: 0.5 },
  { path: [3442, 0, 140], type: "boolean", value: true },
  { path: [3442, 0, 150], type: "opaque", value: Uint8Array.of(1, 2, 3) },
  { path: [3442, 0, 160], type: "time", value: 1_700_000_000 },
  { path: [3442, 0, 170], type: "objlnk", value: { objectId: 3, instanceId: 0 } },
  { path: [3442, 0, 1110, 0], type: "string", value: "a" },
  { path: [3442, 0, 1110, 7], type: "string", value: "b" },
];

function paths(...names: readonly string[]): readonly More[] {
  const json = JSON.stringify(names.map((n) => ({ n })));
  return [
    { format: ContentFormat.senmlJson, payload: json },
    { format: ContentFormat.senmlEtchJson, payload: json },
    // [{0: "/3/0/0"}]
    { format: ContentFormat.senmlEtchCbor, payload: fromHex("81a100662f332f302f30") },
  ];
}

/** Valid requests of every operation that a server has, and some of a bootstrap server. */
export const TEMPLATES: readonly [Template, ...Template[]] = [
  request("GET", "/3/0"),
  ...TARGETS.flatMap((target) => READ_FORMATS.map((accept) => request("GET", target, { accept }))),
  ...["/", "/3", "/3/0?depth=3", "/d01", "/d01/3303", "/1/0/1"].map((target) =>
    request("GET", target, { accept: ContentFormat.linkFormat }),
  ),
  ...TARGETS.flatMap((target) => [
    request("GET", target, { observe: 0 }),
    request("GET", `${target}?pmin=1&pmax=10`, { observe: 0 }),
    request("GET", target, { observe: 1 }),
    request("PUT", `${target}?pmin=1&pmax=60`),
    request("PUT", `${target}?pmin&con=1&epmin=2&epmax=9`),
  ]),
  request("PUT", "/d01/3303/0/5700?gt=20&lt=10&st=1"),
  request("PUT", "/1/0/1", { format: ContentFormat.text, payload: "60" }),
  request("PUT", "/d02/3306/0/5850", { format: ContentFormat.text, payload: "1" }),
  request("PUT", "/3442/0/110", { format: ContentFormat.cbor, payload: fromHex("6474657874") }),
  request("PUT", "/3442/0/150", { format: ContentFormat.opaque, payload: Uint8Array.of(9, 8, 7) }),
  ...written("/1/0", SERVER).flatMap(([format, payload]) => [
    request("POST", "/1/0", { format, payload }),
    request("PUT", "/1/0", { format, payload }),
  ]),
  ...written("/3442/0", DATA).flatMap(([format, payload]) => [
    request("POST", "/3442/0", { format, payload }),
    request("PUT", "/3442/0", { format, payload }),
    request("POST", "/3442", { format, payload }),
    request("iPATCH", "/", { format, payload }),
  ]),
  ...written("/16", PORTFOLIO).map(([format, payload]) => request("POST", "/16", { format, payload })),
  request("POST", "/19", { format: ContentFormat.tlv, payload: fromHex("8300410001") }),
  request("PUT", "/19/0/0/0", { format: ContentFormat.opaque, payload: Uint8Array.of(1, 2) }),
  request("POST", "/20/0/4011", { format: ContentFormat.text, payload: "0='1',1='60'" }),
  request("POST", "/20/0/4012", { format: ContentFormat.text, payload: "0='1'" }),
  ...["0", "1", "2", "3"].map((payload) => request("PUT", "/20/0/4015", { format: ContentFormat.text, payload })),
  ...[undefined, 0].map((observe) => request("GET", "/20/0", observe === undefined ? {} : { observe })),
  request("PUT", "/500/0/2", { format: ContentFormat.text, payload: "2.5" }),
  request("POST", "/500/0/9"),
  ...["/3442/0/1", "/3442/0/2", "/3442/0/5"].map((target) => request("POST", target)),
  request("PUT", "/3442/0/6/0", { format: ContentFormat.text, payload: "/3/0/0" }),
  request("DELETE", "/16/5"),
  request("DELETE", "/16/5/0/3"),
  request("DELETE", "/3/0"),
  ...["/1/0/8", "/3/0/12", "/d01/3303/0/5605", "/3442/0/0"].map((target) => request("POST", target)),
  request("POST", "/3442/0/3", { format: ContentFormat.text, payload: "0='a',1" }),
  ...[undefined, 0, 1].flatMap((observe) =>
    paths("/3/0/0", "/d01/3303/0/5700", "/d02/3306", "/16").map((more) =>
      request("FETCH", "/", { ...more, ...(observe === undefined ? {} : { observe }) }),
    ),
  ),
  request("iPATCH", "/", {
    format: ContentFormat.senmlEtchJson,
    payload: '[{"n":"/3442/0/110","vs":"x"},{"n":"/d02/3306/0/5850","vb":true},{"n":"/3442/0/1110/0","v":null}]',
  }),
  request("GET", "/0/0"),
  request("DELETE", "/"),
  request("POST", "/bs"),
  request("PUT", "/0", { format: ContentFormat.tlv, payload: fromHex("0800") }),
];
