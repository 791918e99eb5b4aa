/** A language model of sixteen words whose scores are a function of the image and the words so far. */
import { createRandom } from '../../src/base/random.ts';
import type { Decoder, StepScores } from '../../src/generation/inference.ts';
import { logSumExp } from '../../src/generation/selection.ts';

export const words = 16;

/** The logits of what follows. */
export function toyLogits(image: number, sequence: readonly number[]): Float32Array {
  const random = createRandom(sequence.reduce((seed, id) => seed * 7 + id + 1, 1000 * (image + 1)));
  return Float32Array.from({ length: words }, () => 3 * random.normal());
}

export function toyDecoder(count: number): Decoder {
  let images = Array.from({ length: count }, (_, i) => i);
  let rows: number[][] = images.map(() => []);
  return {
    get images() {
      return images.length;
    },
    select(kept, parents) {
      images = kept.map((place) => images[place]);
      rows = parents.map((row) => [...rows[row]]);
    },
    async step(ids, length): Promise<StepScores> {
      const beams = ids.length / length / images.length;
      rows = rows.map((row, i) => [...row, ...ids.subarray(i * length, (i + 1) * length)]);
      const all = rows.map((row, i) => toyLogits(images[Math.floor(i / beams)], row));
      return {
        logits: Float32Array.from(all.flatMap((logits) => [...logits])),
        normalizer: Float32Array.from(all, logSumExp),
      };
    },
  };
}
