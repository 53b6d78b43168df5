import { encodeBlock } from "./block.js";
import { METHOD_CODE, methodOf } from "./code.js";
import type { Message } from "./message.js";
import { isCritical, isUnderstood, type Option, OptionNumber, type OutgoingOption, optionName } from "./options.js";
import type { CoapRequest, IncomingRequest } from "./request.js";
import { type TransferControl, takeTransferOption } from "./transfer-control.js";

/** What a request carries that concerns only the layers below the handler. */
export interface RequestControl extends TransferControl {
  readonly requestTag?: Uint8Array;
  readonly noResponse?: number;
  readonly echo?: Uint8Array;
}

export interface ParsedRequest {
  readonly request: IncomingRequest;
  readonly control: RequestControl;
}

/** Why a request cannot be handed on. */
export type Refusal = "bad-option" | "method" | "proxying";

export interface RefusedRequest {
  readonly refused: Refusal;
  readonly reason: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Draft {
  readonly request: Mutable<IncomingRequest> & { readonly path: string[]; readonly query: string[] };
  readonly control: Mutable<RequestControl>;
}

/** Views into the datagram stay views. */
export function parseRequest(message: Message): ParsedRequest | RefusedRequest {
  const method = methodOf(message.code);
  if (method === undefined) return { refused: "method", reason: `method code ${message.code}` };
  const draft: Draft = {
    request: {
      method,
      path: [],
      query: [],
      payload: message.payload,
      token: message.token,
      confirmable: message.type === "CON",
    },
    control: {},
  };
  let previous = 0;
  for (const option of message.options) {
    const understood =
      isUnderstood(option, option.number === previous ? "repeated" : "first") && takeOption(draft, option);
    previous = option.number;
    if (understood || !isCritical(option.number)) continue;
    const refused =
      option.number === OptionNumber.ProxyUri || option.number === OptionNumber.ProxyScheme ? "proxying" : "bad-option";
    return { refused, reason: optionName(option.number) };
  }
  return draft;
}

/** False when the option's value has no meaning here. Conditional requests are not supported, so If-Match is not. */
function takeOption({ request, control }: Draft, option: Option): boolean {
  switch (option.number) {
    case OptionNumber.UriPath:
      return append(request.path, option.text);
    case OptionNumber.UriQuery:
      return append(request.query, option.text);
    case OptionNumber.ContentFormat:
      request.contentFormat = option.uint;
      return true;
    case OptionNumber.Accept:
      request.accept = option.uint;
      return true;
    case OptionNumber.Observe:
      request.observe = option.uint;
      return true;
    case OptionNumber.RequestTag:
      control.requestTag = option.value;
      return true;
    case OptionNumber.NoResponse:
      control.noResponse = option.uint;
      return true;
    case OptionNumber.UriHost:
    case OptionNumber.UriPort:
      return true;
    default:
      return takeTransferOption(control, option);
  }
}

function append(texts: string[], text: string | undefined): boolean {
  if (text === undefined) return false;
  texts.push(text);
  return true;
}

export function requestCode(request: CoapRequest): number {
  return METHOD_CODE[request.method];
}

export function requestOptions(request: CoapRequest, control: RequestControl): OutgoingOption[] {
  const options: OutgoingOption[] = [];
  const add = (number: number, value: OutgoingOption["value"] | undefined): void => {
    if (value !== undefined) options.push({ number, value });
  };
  add(OptionNumber.Observe, request.observe);
  for (const segment of request.path) add(OptionNumber.UriPath, segment);
  add(OptionNumber.ContentFormat, request.contentFormat);
  for (const parameter of request.query) add(OptionNumber.UriQuery, parameter);
  add(OptionNumber.Accept, request.accept);
  add(OptionNumber.Block2, control.block2 && encodeBlock(control.block2));
  add(OptionNumber.Block1, control.block1 && encodeBlock(control.block1));
  add(OptionNumber.Size1, control.size1);
  add(OptionNumber.Echo, control.echo);
  return options;
}
