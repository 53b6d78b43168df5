import { encodeBlock } from "./block.js";
import type { Message } from "./message.js";
import { isCritical, isUnderstood, type Option, OptionNumber, type OutgoingOption, optionName } from "./options.js";
import type { CoapResponse } from "./request.js";
import { type TransferControl, takeTransferOption } from "./transfer-control.js";

/** What a response carries beside the fields that its handler gave. */
export interface ResponseControl extends TransferControl {
  readonly etag?: Uint8Array;
  readonly echo?: Uint8Array;
}

export interface ParsedResponse {
  readonly response: CoapResponse;
  readonly control: ResponseControl;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Draft {
  readonly response: Mutable<CoapResponse>;
  readonly control: Mutable<ResponseControl>;
}

/** The name of the option for which the response must be rejected (RFC 7252 §5.4.1), or the response. */
export function parseResponse(message: Message): ParsedResponse | { readonly refused: string } {
  const draft: Draft = { response: { code: message.code, payload: message.payload }, control: {} };
  let previous = 0;
  for (const option of message.options) {
    const { number } = option;
    const understood = isUnderstood(option, number === previous ? "repeated" : "first");
    previous = number;
    if (!(understood && takeOption(draft, option)) && isCritical(number)) {
      return { refused: optionName(number) };
    }
  }
  return draft;
}

function takeOption({ response, control }: Draft, option: Option): boolean {
  switch (option.number) {
    case OptionNumber.ContentFormat:
      response.contentFormat = option.uint;
      return true;
    case OptionNumber.LocationPath: {
      const segment = option.text;
      if (segment !== undefined) response.locationPath = [...(response.locationPath ?? []), segment];
      return segment !== undefined;
    }
    case OptionNumber.Observe:
      response.observe = option.uint;
      return true;
    case OptionNumber.MaxAge:
      response.maxAgeS = option.uint;
      return true;
    case OptionNumber.ETag:
      control.etag = option.value;
      return true;
    case OptionNumber.Echo:
      control.echo = option.value;
      return true;
    default:
      return takeTransferOption(control, option);
  }
}

export function responseOptions(response: CoapResponse, control: ResponseControl): OutgoingOption[] {
  const options: OutgoingOption[] = [];
  const { contentFormat, locationPath, observe, maxAgeS } = response;
  const { block1, block2, etag, size1, size2 } = control;
  if (etag !== undefined) options.push({ number: OptionNumber.ETag, value: etag });
  if (observe !== undefined) options.push({ number: OptionNumber.Observe, value: observe });
  for (const value of locationPath ?? []) options.push({ number: OptionNumber.LocationPath, value });
  if (contentFormat !== undefined) options.push({ number: OptionNumber.ContentFormat, value: contentFormat });
  if (maxAgeS !== undefined) options.push({ number: OptionNumber.MaxAge, value: maxAgeS });
  if (block2 !== undefined) options.push({ number: OptionNumber.Block2, value: encodeBlock(block2) });
  if (block1 !== undefined) options.push({ number: OptionNumber.Block1, value: encodeBlock(block1) });
  if (size2 !== undefined) options.push({ number: OptionNumber.Size2, value: size2 });
  if (size1 !== undefined) options.push({ number: OptionNumber.Size1, value: size1 });
  return options;
}
