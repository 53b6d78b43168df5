import { type Block, decodeBlock } from "./block.js";
import { type Option, OptionNumber } from "./options.js";

/** Options by which block-wise transfers are steered, the same in requests and responses (RFC 7959 §2, §4). */
export interface TransferControl {
  readonly block1?: Block;
  readonly block2?: Block;
  readonly size1?: number;
  readonly size2?: number;
}

/** Takes a block or size option; false when it is another one, or its value has no meaning. */
export function takeTransferOption(
  control: { -readonly [K in keyof TransferControl]: TransferControl[K] },
  option: Option,
): boolean {
  switch (option.number) {
    case OptionNumber.Block1:
      return setBlock(control, "block1", option.uint);
    case OptionNumber.Block2:
      return setBlock(control, "block2", option.uint);
    case OptionNumber.Size1:
      control.size1 = option.uint;
      return true;
    case OptionNumber.Size2:
      control.size2 = option.uint;
      return true;
    default:
      return false;
  }
}

function setBlock(control: { block1?: Block; block2?: Block }, name: "block1" | "block2", value: number): boolean {
  const block = decodeBlock(value);
  if (block === undefined) return false;
  control[name] = block;
  return true;
}
