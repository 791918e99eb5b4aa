/** A name for a model's weights: what tells runs whether they start from the same ones. */
import { createHash } from 'node:crypto';
import type { PretrainedWeights } from './weights.ts';

/** Hash (SHA-256, hex) of all parameters: names, formats, shapes and bytes, in whatever files they lie. */
export async function hashWeights(weights: Pick<PretrainedWeights, 'lazy'>): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, { dtype, shape, read }] of weights.lazy())
    hash.update(JSON.stringify([name, dtype, shape])).update(await read());
  return hash.digest('hex');
}
