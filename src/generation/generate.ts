/** Writes captions for encoded images: greedy search, sampling and beam search over the cached decoder. */
import { InputError } from '../base/errors.ts';
import { beamSearch } from './beams.ts';
import type { GenerationContext, Sequence } from './context.ts';
import type { Decoder } from './inference.ts';
import type { GenerationSettings } from './options.ts';
import { writeRows } from './rows.ts';

/**
 * Writes `num_return_sequences` captions for each image of `decoding`.
 * @returns for each image its sequences, the best first where they are ranked
 * @throws InputError when a length does not fit the model; the signal's reason when aborted
 */
export async function generate(
  decoding: Decoder,
  settings: GenerationSettings,
  context: GenerationContext,
): Promise<Sequence[][]> {
  const longest = longestLength(settings, context);
  return settings.num_beams > 1
    ? beamSearch(decoding, settings, context, longest)
    : writeRows(decoding, settings, context, longest);
}

/**
 * Ids that a sequence may have, prompt and end included.
 * @throws InputError when that is more than the model has positions, or no more than the prompt
 */
export function longestLength(
  settings: GenerationSettings,
  { prompt, config }: Pick<GenerationContext, 'prompt' | 'config'>,
): number {
  const { max_length: whole, max_new_tokens: added } = settings;
  const most = config.max_position_embeddings;
  const longest =
    added !== undefined
      ? prompt.length + added
      : (whole ?? Math.min(prompt.length + defaultNewTokens, most));
  // The last id is never fed back, so it needs no position.
  if (longest > most + 1)
    throw new InputError(
      `the longest sequence, ${longest} ids, is more than the model's ${most} positions (max_position_embeddings)`,
    );
  if (longest <= prompt.length)
    throw new InputError(
      `max_length (${longest}) leaves no room after the prompt, which takes ${prompt.length} ids with the first`,
    );
  return longest;
}

/** transformers' default where neither max_length nor max_new_tokens is given. */
const defaultNewTokens = 20;
