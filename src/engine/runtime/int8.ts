/** How large 8-bit weights may be, and how they are best laid out. */
import { backEnd } from './back-end/node.ts';

let limit: number | undefined;

/**
 * The largest weight that this processor multiplies without loss: where ONNX Runtime's u8 x s8 kernels may
 * saturate, 7-bit weights alone never do.
 */
export function weightLimit(): number {
  limit ??= backEnd.hasExactInt8() ? 127 : 63;
  return limit;
}

/** Whether products of few rows are faster, and exact, with 8-bit weights that lie in blocks. */
export function hasFastBlocks(): boolean {
  return backEnd.hasFastBlocks();
}
