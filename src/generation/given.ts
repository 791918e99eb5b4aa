/** Concepts that are given for images, laid out as a model's graph is fed with them. Pure. */
import { type Tensor, tensor } from '../engine/runtime/tensor.ts';
import { noWord } from '../model/concepts/concepts.ts';
import type { ConceptConfig } from '../model/concepts/config.ts';
import type { SeenConcept } from './context.ts';

/** How likely a token is that names nothing. */
const least = 1e-6;

/**
 * The likeliest concepts of each image in the model's tokens: those that its classes are called by, and those of two
 * words, where the names of classes stand, the others where predicted words do; what finds no room there takes what is
 * left of the other kind. Tokens that are left name nothing.
 * @returns the graph's inputs `conceptWords` and `conceptProbabilities`
 */
export function conceptFeeds(
  config: ConceptConfig,
  images: readonly (readonly SeenConcept[])[],
): Record<string, Tensor> {
  const count = config.class_tokens + config.word_tokens;
  const names = new Set(config.class_names.map((words) => words.join(' ')));
  const words = new Int32Array(images.length * count * 2).fill(noWord);
  const probabilities = new Float32Array(images.length * count).fill(least);
  for (const [image, given] of images.entries())
    for (const [place, concept] of placed(config, names, given)) {
      const at = image * count + place;
      words.set(concept.words, 2 * at);
      probabilities[at] = concept.probability;
    }
  return {
    conceptWords: tensor('i32', [images.length, count, 2], words),
    conceptProbabilities: tensor('f32', [images.length, count], probabilities),
  };
}

/** Concepts with their places among the tokens. */
function placed(
  { class_tokens, word_tokens }: ConceptConfig,
  names: ReadonlySet<string>,
  given: readonly SeenConcept[],
): Map<number, SeenConcept> {
  const free = {
    names: Array.from({ length: class_tokens }, (_, i) => i),
    words: Array.from({ length: word_tokens }, (_, i) => class_tokens + i),
  };
  const places = new Map<number, SeenConcept>();
  for (const concept of [...given].sort((a, b) => b.probability - a.probability)) {
    const isName = concept.words.length > 1 || names.has(concept.words.join(' '));
    const [own, other] = isName ? [free.names, free.words] : [free.words, free.names];
    const place = own.shift() ?? other.shift();
    if (place === undefined) break;
    places.set(place, concept);
  }
  return places;
}
