/** The training-only layers over the decoder at hand: what the settings leave to it. */
import type { TextConfig } from '../../model/config.ts';
import type { TrainConfig } from './config.ts';

/** Attention heads of a layer whose settings name none. */
export const usualHeads = 8;

/** Those, or the decoder's own where they do not divide its width. */
function headsOver(text: Pick<TextConfig, 'hidden_size' | 'num_attention_heads'>): number {
  return text.hidden_size % usualHeads === 0 ? usualHeads : text.num_attention_heads;
}

/** The settings with the heads of both layers filled in. Given numbers stay, whether they fit or not. */
export function withLayerHeads(
  config: TrainConfig,
  text: Pick<TextConfig, 'hidden_size' | 'num_attention_heads'>,
): TrainConfig {
  const heads = headsOver(text);
  const { refinement, alignment } = config;
  return {
    ...config,
    refinement: refinement && { ...refinement, heads: refinement.heads ?? heads },
    alignment: alignment && { ...alignment, heads: alignment.heads ?? heads },
  };
}
