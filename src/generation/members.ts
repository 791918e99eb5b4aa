/**
 * Models that write together: the probability of the next word is the mean of theirs (Vinyals et al. 2015).
 * Their vocabularies are the same; their sizes may differ.
 */
import type { Tensor } from '../engine/runtime/tensor.ts';
import type { SeenConcept } from './context.ts';
import { conceptFeeds } from './given.ts';
import type { Decoder, EncodedImages, Inference, StepScores } from './inference.ts';

export class Ensemble implements Disposable {
  readonly #members: readonly Inference[];

  /** @param members one at least */
  constructor(members: readonly Inference[]) {
    this.#members = members;
  }

  /**
   * What each member's decoding needs of a batch of pixels f32 [images, 3, size, size].
   * @param concepts of each image, for members that were opened to be given them
   */
  async encode(
    images: Tensor,
    concepts?: readonly (readonly SeenConcept[])[],
  ): Promise<EncodedImages[]> {
    const encoded: EncodedImages[] = [];
    for (const member of this.#members) {
      const { concept_config: config } = member.config;
      const feeds = config && concepts ? conceptFeeds(config, concepts) : {};
      encoded.push(await member.encode(images, feeds));
    }
    return encoded;
  }

  /** Starts writing for every image. @param encoded as `encode` gave it */
  decode(encoded: readonly EncodedImages[]): Decoder {
    const decoders = this.#members.map((member, i) => member.decode(encoded[i]));
    return decoders.length === 1 ? decoders[0] : new JointDecoder(decoders);
  }

  [Symbol.dispose](): void {
    for (const member of this.#members) member[Symbol.dispose]();
  }
}

class JointDecoder implements Decoder {
  readonly #members: readonly Decoder[];

  constructor(members: readonly Decoder[]) {
    this.#members = members;
  }

  get images(): number {
    return this.#members[0].images;
  }

  select(images: readonly number[], parents: readonly number[]): void {
    for (const member of this.#members) member.select(images, parents);
  }

  async step(ids: Int32Array, length: number): Promise<StepScores> {
    const all: StepScores[] = [];
    for (const member of this.#members) all.push(await member.step(ids, length));
    return meanScores(all);
  }
}

/**
 * Logits of the mean of the members' probabilities. Of all that have these probabilities, those whose
 * normalizer is the mean of the members' are on the members' scale, so that rules for logits, such as the
 * penalty of repetitions, do what they do to a single model.
 */
export function meanScores(all: readonly StepScores[]): StepScores {
  const rows = all[0].normalizer.length;
  const logits = new Float32Array(all[0].logits.length);
  const normalizer = new Float32Array(rows);
  const words = logits.length / rows;
  const sums = new Float64Array(words);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    let scale = 0;
    for (const scores of all) {
      const own = scores.normalizer[row];
      scale += own / all.length;
      for (let i = 0; i < words; i++) sums[i] += Math.exp(scores.logits[row * words + i] - own);
    }
    for (let i = 0; i < words; i++)
      logits[row * words + i] = Math.log(sums[i] / all.length) + scale;
    normalizer[row] = scale;
  }
  return { logits, normalizer };
}
