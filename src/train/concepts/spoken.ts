/** Which words and pairs of words an image's captions hold, as ids of the vocabulary. Pure. */
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import type { SpokenWords } from './fit.ts';
import { wholeWords } from './vocabulary.ts';

/** Reads captions that are cleaned as for training: words parted by spaces. */
export function spokenReader(tokenizer: TextTokenizer): (texts: readonly string[]) => SpokenWords {
  const idOf = wholeWords(tokenizer);
  const known = new Map<string, number | undefined>();
  const remembered = (word: string): number | undefined => {
    if (!known.has(word)) known.set(word, idOf(word));
    return known.get(word);
  };
  return (texts) => {
    const words = new Set<number>();
    const pairs = new Set<string>();
    for (const text of texts) {
      let before: number | undefined;
      for (const word of text.split(' ')) {
        const id = remembered(word);
        if (id !== undefined) {
          words.add(id);
          if (before !== undefined) pairs.add(`${before} ${id}`);
        }
        before = id;
      }
    }
    return { words, pairs };
  };
}
