/**
 * Self-critical sequence training (Rennie et al. 2017) on CIDEr-D: captions are drawn from the model
 * in training, and each is made more or less likely by how far its reward is above a baseline.
 */

import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import type { SessionOptions } from '../../engine/runtime/session.ts';
import { generate } from '../../generation/generate.ts';
import type { Inference } from '../../generation/inference.ts';
import type { GenerationSettings } from '../../generation/options.ts';
import type { BlipConfig } from '../../model/config.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import type { TrainConfig } from '../config/config.ts';
import type { TrainingGraphs } from '../objective/graphs.ts';
import type { EncodedCaption, EncodedCaptions } from './batches.ts';
import { liveInference } from './generation.ts';
import type { FedImages } from './images.ts';
import { ciderReward, type DrawnCaption, type RewardedImages } from './scoring.ts';

/** Drawn captions, with their advantages: reward less baseline. */
export interface Samples {
  readonly captions: EncodedCaptions;
  /** [images, samples], image by image. */
  readonly advantages: Float32Array;
  /** Mean reward of the samples. */
  readonly reward: number;
}

/** What a sampler is opened with. */
export interface SamplerParts
  extends Pick<Sampler, 'config' | 'tokenizer' | 'prompt' | 'settings'> {
  readonly model: BlipConfig;
  readonly graphs: TrainingGraphs;
  readonly store: ParameterStore;
  readonly session: SessionOptions;
}

export interface Sampler {
  readonly inference: Inference;
  readonly tokenizer: TextTokenizer;
  readonly config: TrainConfig;
  /** What generation begins with: [DEC] and the prompt. */
  readonly prompt: readonly number[];
  readonly settings: GenerationSettings;
  /** Rewards of captions of an image of the split. */
  reward(image: number, captions: readonly DrawnCaption[]): number[];
}

/** A sampler of the weights as they are at each step. */
export async function openSampler(
  { config, model, graphs, store, tokenizer, prompt, settings, session }: SamplerParts,
  rewarded: RewardedImages,
): Promise<Sampler & Disposable> {
  const inference = await liveInference(graphs, model, store, session, { concepts: graphs.shown });
  return {
    config,
    tokenizer,
    prompt,
    settings,
    inference,
    reward: ciderReward(rewarded),
    [Symbol.dispose]: () => inference[Symbol.dispose](),
  };
}

/** Draws `scst.samples` captions of each image and weighs them. @param places of the images in the split */
export async function drawSamples(
  { inference, tokenizer, config, prompt, settings, reward }: Sampler,
  { images, concepts }: FedImages,
  places: readonly number[],
  seed: number,
): Promise<Samples> {
  const { samples, baseline, temperature } = config.scst;
  const encoded = await inference.encode(images, concepts);
  const context = { config: inference.config.text_config, prompt, seed };
  const drawn = await generate(
    inference.decode(encoded),
    {
      ...settings,
      do_sample: true,
      top_k: 0,
      top_p: 1,
      temperature,
      num_return_sequences: samples,
    },
    context,
  );
  const greedy =
    baseline === 'greedy'
      ? await generate(inference.decode(encoded), { ...settings, num_return_sequences: 1 }, context)
      : undefined;
  const written = ({ ids }: { readonly ids: readonly number[] }): DrawnCaption => ({
    text: tokenizer.decode(ids),
    ended: ids.at(-1) === tokenizer.ids.sep,
  });
  const advantages = new Float32Array(places.length * samples);
  let total = 0;
  for (const [i, place] of places.entries()) {
    const rewards = reward(place, drawn[i].map(written));
    const sum = rewards.reduce((a, b) => a + b, 0);
    const greedyReward = greedy && reward(place, [written(greedy[i][0])])[0];
    for (const [j, own] of rewards.entries())
      advantages[i * samples + j] = own - (greedyReward ?? (sum - own) / (samples - 1));
    total += sum;
  }
  const captions = drawn.map((list) =>
    list.map(({ ids }): EncodedCaption => ({ ids, prompt: prompt.length - 1, words: 0 })),
  );
  return { captions, advantages, reward: total / advantages.length };
}
