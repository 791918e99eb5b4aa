/** Words of training captions that stand in phrases for which people drew boxes. Pure. */
import { type Box, boxesOf, type EntityImage } from '../../data/captions/entities.ts';
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import { type EncodedCaption, trainingText } from '../loop/batches.ts';

/** A token that is to be learned with boxes for what it speaks of. */
export interface GroundedToken {
  /** Its place among the labels of its caption. */
  readonly label: number;
  readonly boxes: readonly Box[];
}

/**
 * The grounded tokens of each caption of an image: all of a phrase's words, where its thing has a box. Captions are
 * found among those with boxes by their words as they are trained; one that is not there has none.
 * @param captions as the dataset has them
 * @param encoded the same, in the same order
 */
export function groundedTokens(
  entities: EntityImage,
  captions: readonly string[],
  encoded: readonly EncodedCaption[],
  tokenizer: TextTokenizer,
): GroundedToken[][] {
  const known = new Map(
    entities.captions.map(({ words, phrases }) => {
      const parts = words.map((word) => partsOf(word));
      return [parts.flat().join(' '), { parts, phrases }] as const;
    }),
  );
  return captions.map((caption, i) => {
    const found = known.get(partsOf(caption).join(' '));
    if (!found) return [];
    const { ids, prompt } = encoded[i];
    // The word after each id is its label, and the last is the caption's end.
    const end = ids.length - 2;
    const pieces = found.parts.map((parts) =>
      parts.reduce((n, part) => n + tokenizer.encode(part, { specialTokens: false }).length, 0),
    );
    const starts = pieces.map((_, word) => pieces.slice(0, word).reduce((a, b) => a + b, prompt));
    return found.phrases.flatMap(({ id, first, words }) => {
      const boxes = boxesOf(entities, id);
      if (boxes.length === 0) return [];
      const last = first + words - 1;
      const from = starts[first] ?? end;
      const to = Math.min(end, (starts[last] ?? end) + (pieces[last] ?? 0));
      return Array.from({ length: Math.max(0, to - from) }, (_, at) => ({
        label: from + at,
        boxes,
      }));
    });
  });
}

/** The words that a text is trained as. */
function partsOf(text: string): string[] {
  return trainingText(text, Number.POSITIVE_INFINITY).split(' ').filter(Boolean);
}
