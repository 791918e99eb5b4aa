/** The concepts of encoded images, as ids and numbers. */
import { noWord } from '../model/concepts/concepts.ts';
import type { SeenConcept } from './context.ts';
import type { ConceptTensors, EncodedImages } from './inference.ts';

/**
 * What the members that have concepts told the decoder of each image: the mean of their probabilities, where a member
 * that does not name something gives it none.
 * @param encoded the same images by each member
 * @returns undefined where no member computes concepts
 */
export function seenConcepts(encoded: readonly EncodedImages[]): SeenConcept[][] | undefined {
  const all = encoded.flatMap(({ concepts }) => concepts ?? []);
  if (all.length === 0) return undefined;
  return Array.from({ length: encoded[0].count }, (_, image) => {
    const found = new Map<string, { words: readonly number[]; probability: number }>();
    for (const member of all)
      for (const { words, probability } of likeliest(conceptsOf(member, image))) {
        const key = words.join(' ');
        const before = found.get(key)?.probability ?? 0;
        found.set(key, { words, probability: before + probability / all.length });
      }
    return [...found.values()];
  });
}

function conceptsOf({ words, probabilities }: ConceptTensors, image: number): SeenConcept[] {
  const count = probabilities.shape[1];
  return Array.from({ length: count }, (_, i) => {
    const at = image * count + i;
    const ids = [Number(words.data[2 * at]), Number(words.data[2 * at + 1])];
    return {
      words: ids.filter((id) => id !== noWord),
      probability: Number(probabilities.data[at]),
    };
  });
}

/** Each name once: classes and predicted words may say the same, as may images that are read as one. */
function likeliest(concepts: readonly SeenConcept[]): SeenConcept[] {
  const best = new Map<string, SeenConcept>();
  for (const concept of concepts) {
    const key = concept.words.join(' ');
    const before = best.get(key);
    if (!before || before.probability < concept.probability) best.set(key, concept);
  }
  return [...best.values()];
}
