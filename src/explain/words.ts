/** Captions as ids and as words: which positions write which word. */
import { firstFew, InputError } from '../base/errors.ts';
import type { TextTokenizer } from '../data/text/tokenizer.ts';
import type { TextConfig } from '../model/config.ts';

/** A word and the positions that write its pieces: id t + 1 is written by position t. */
export interface WordPieces {
  readonly text: string;
  readonly positions: readonly number[];
}

/** The words of a caption's ids, of which the first is [DEC]. The end and other ids without text are none. */
export function wordPieces(ids: readonly number[], tokenizer: TextTokenizer): WordPieces[] {
  const words: { ids: number[]; positions: number[] }[] = [];
  for (const [position, id] of ids.slice(1).entries()) {
    const isUnknown = id === tokenizer.ids.unknown;
    if (!isUnknown && tokenizer.decode([id]) === '') continue;
    const last = words.at(-1);
    if (last && !isUnknown && tokenizer.token(id)?.startsWith('##')) {
      last.ids.push(id);
      last.positions.push(position);
    } else words.push({ ids: [id], positions: [position] });
  }
  return words.map(({ ids: own, positions }) => ({
    text: tokenizer.decode(own) || (tokenizer.token(own[0]) ?? ''),
    positions,
  }));
}

/**
 * The ids of a caption that is given, [DEC] first.
 * @throws InputError when it has no words, words that the vocabulary lacks, or more than the model has room for
 */
export function captionIds(
  caption: string,
  tokenizer: TextTokenizer,
  config: TextConfig,
): number[] {
  const ids = tokenizer.encode(caption, { specialTokens: false });
  const shown = caption.length > 40 ? `${caption.slice(0, 40)}...` : caption;
  if (ids.length === 0) throw new InputError(`the caption '${shown}' has no words.`);
  const unknown = tokenizer
    .words(caption)
    .filter((word) =>
      tokenizer.encode(word, { specialTokens: false }).includes(tokenizer.ids.unknown),
    );
  if (unknown.length > 0)
    throw new InputError(
      `the model's vocabulary lacks ${firstFew([...new Set(unknown)].map((word) => `'${word}'`))} of the caption; use other words.`,
    );
  const most = config.max_position_embeddings;
  if (ids.length > most)
    throw new InputError(
      `the caption '${shown}' has ${ids.length} tokens; the model has room for ${most}, so shorten it.`,
    );
  return [config.bos_token_id, ...ids];
}

/** A caption's ids without its end. */
export function withoutEnd(
  ids: readonly number[],
  { sep_token_id: end }: TextConfig,
): readonly number[] {
  return ids.at(-1) === end ? ids.slice(0, -1) : ids;
}
