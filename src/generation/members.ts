/**
 * Models that write together: the probability of the next word is the mean of theirs (Vinyals et al. 2015).
 * Their vocabularies are the same; their sizes may differ.
 */
import type { Tensor } from '../engine/runtime/tensor.ts';
import type { Decoder, EncodedImages, Inference, StepScores } from './inference.ts';

export class Ensemble implements Disposable {
  readonly #members: readonly Inference[];

  /** @param members one at least */
  constructor(members: readonly Inference[]) {
    this.#members = members;
  }

  /** What each member's decoding needs of a batch of pixels f32 [images, 3, size, size]. */
  async encode(images: Tensor): Promise<EncodedImages[]> {
    const encoded: EncodedImages[] = [];
    for (const member of this.#members) encoded.push(await member.encode(images));
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

/** The log of the mean of the probabilities, so that the normalizers are 0. */
function meanScores(all: readonly StepScores[]): StepScores {
  const rows = all[0].normalizer.length;
  const logits = new Float32Array(all[0].logits.length);
  const words = logits.length / rows;
  for (const scores of all)
    for (let row = 0; row < rows; row++) {
      const normalizer = scores.normalizer[row] + Math.log(all.length);
      for (let i = row * words; i < (row + 1) * words; i++)
        logits[i] += Math.exp(scores.logits[i] - normalizer);
    }
  for (let i = 0; i < logits.length; i++) logits[i] = Math.log(logits[i]);
  return { logits, normalizer: new Float32Array(rows) };
}
