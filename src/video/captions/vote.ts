/** Captions of a scene's frames vote: the one that says most of what the others say is the scene's. */
import { createCiderReward } from '../../metrics/cider.ts';
import { DocumentFrequencies } from '../../metrics/document-frequencies.ts';
import { captionTokenizer } from '../../metrics/tokenizer/tokenizer.ts';

/**
 * The place of the caption nearest to the others by CIDEr-D; of those that are equally near the first.
 * @param captions one at least
 */
export function electCaption(captions: readonly string[]): number {
  const texts = captions.map((caption) => captionTokenizer.tokenizeOne(caption));
  const frequencies = new DocumentFrequencies();
  for (const text of texts) frequencies.add([text]);
  // Without another document, words that all captions share would weigh nothing.
  frequencies.add([]);
  const cider = createCiderReward(frequencies);
  const references = texts.map((text) => cider.prepare([text]));
  const nearness = texts.map((text, i) =>
    references.reduce((sum, other, j) => (i === j ? sum : sum + cider.score(text, other)), 0),
  );
  return nearness.indexOf(Math.max(...nearness));
}
