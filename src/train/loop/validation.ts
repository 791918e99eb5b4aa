/** What is measured after each epoch: losses of both paths, captions and their scores. */

import { Opened } from '../../base/disposal.ts';
import { createRandom } from '../../base/random.ts';
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import { Session, type SessionOptions } from '../../engine/runtime/session.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import { generate } from '../../generation/generate.ts';
import type { Inference } from '../../generation/inference.ts';
import type { GenerationSettings } from '../../generation/options.ts';
import type { BlipConfig } from '../../model/config.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import type { TrainConfig } from '../config/config.ts';
import { addSums, type ObjectiveSums, objectiveSums } from '../objective/gradients.ts';
import type { TrainingGraphs } from '../objective/graphs.ts';
import { captionsOf, type EncodedImages, epochBatches, textBatch } from './batches.ts';
import { liveInference } from './generation.ts';
import type { ImageFeed } from './images.ts';
import { type ImageReferences, scoreCaptions, type ValidationMetrics } from './scoring.ts';

/** Captions and images of one split, in the same order. */
export interface TrainingSplit {
  readonly captions: EncodedImages;
  readonly references: ImageReferences;
  /** Names to show. */
  readonly files: readonly string[];
  readonly images: ImageFeed;
}

export interface Validation {
  /** Nats a word: summed over words and ends, divided by their number. */
  readonly losses: { readonly base: number; readonly refined?: number };
  readonly metrics?: ValidationMetrics;
  readonly samples: readonly { readonly file: string; readonly caption: string }[];
}

export interface ValidatorInput {
  readonly config: TrainConfig;
  readonly model: BlipConfig;
  readonly graphs: TrainingGraphs;
  readonly store: ParameterStore;
  /** The values that are validated: the trained ones, or their average. */
  readonly trainable: Float32Array;
  readonly tokenizer: TextTokenizer;
  readonly prompt: readonly number[];
  /** Of the captions that are scored. */
  readonly settings: GenerationSettings;
  readonly dev: TrainingSplit;
  readonly session: SessionOptions;
}

/** Images whose captions are written together. */
const captionBatch = 32;

export class Validator implements Disposable {
  readonly #input: ValidatorInput;
  readonly #losses: Session;
  readonly #parameters: Readonly<Record<string, Tensor>>;
  readonly #inference: Inference;

  private constructor(input: ValidatorInput, losses: Session, inference: Inference) {
    this.#input = input;
    this.#losses = losses;
    this.#inference = inference;
    const { store, trainable, graphs } = input;
    this.#parameters = Object.fromEntries(
      graphs.scope.parameters
        .filter(({ name }) => !name.startsWith('alignment.contrastive.'))
        .map(({ name }) => [name, store.tensor(name, trainable)]),
    );
  }

  static async open(input: ValidatorInput): Promise<Validator> {
    const { graphs, store, trainable, model, session } = input;
    const { base, refined, count } = graphs.validation;
    using opened = new Opened();
    const sums = { base, count, ...(refined && { refined }) };
    const losses = opened.use(await Session.open(sums, session));
    const inference = opened.use(await liveInference(graphs, model, store, session, trainable));
    opened.keep();
    return new Validator(input, losses, inference);
  }

  async run(signal?: AbortSignal): Promise<Validation> {
    const losses = await this.#lossesPerWord(signal);
    const { dev, config } = this.#input;
    const scored = everyFew(dev.captions.length, config.validationImages ?? dev.captions.length);
    const shown = everyFew(dev.captions.length, config.samplePictures);
    const captions = await this.#captions([...new Set([...scored, ...shown])], signal);
    const written = (place: number): string => captions.get(place) ?? '';
    return {
      losses,
      ...(scored.length > 0 && {
        metrics: await scoreCaptions(
          scored.map(written),
          scored.map((place) => dev.references[place]),
          signal,
        ),
      }),
      samples: shown.map((place) => ({ file: dev.files[place], caption: written(place) })),
    };
  }

  async #lossesPerWord(signal?: AbortSignal): Promise<Validation['losses']> {
    const { dev, config, model } = this.#input;
    let sums: ObjectiveSums = {};
    let words = 0;
    const options = { batchSize: config.microBatch ?? config.batchSize, captionsPerImage: null };
    for (const batch of epochBatches(dev.captions, options, createRandom(0))) {
      signal?.throwIfAborted();
      const text = textBatch(captionsOf(dev.captions, batch), model.text_config.pad_token_id);
      const result = await this.#losses.run({
        ...this.#parameters,
        [dev.images.kind]: await dev.images.read(batch.map(({ image }) => image)),
        ids: tensor('i32', text.shape, text.ids),
        labels: tensor('i32', text.shape, text.labels),
      });
      sums = addSums(sums, objectiveSums(result));
      words += text.words + text.captions;
    }
    const { base = 0, refined } = sums;
    return { base: base / words, ...(refined !== undefined && { refined: refined / words }) };
  }

  /** Captions of the base path for images at these places. */
  async #captions(places: readonly number[], signal?: AbortSignal): Promise<Map<number, string>> {
    const { dev, tokenizer, prompt, settings, model } = this.#input;
    const captions = new Map<number, string>();
    const context = { config: model.text_config, prompt, ...(signal && { signal }) };
    for (let start = 0; start < places.length; start += captionBatch) {
      const part = places.slice(start, start + captionBatch);
      const encoded = await this.#inference.encode(await dev.images.read(part));
      const written = await generate(this.#inference.decode(encoded), settings, context);
      for (const [i, place] of part.entries())
        captions.set(place, tokenizer.decode(written[i][0].ids));
    }
    return captions;
  }

  [Symbol.dispose](): void {
    this.#losses.dispose();
    this.#inference[Symbol.dispose]();
  }
}

/** `wanted` places spread evenly over 0 .. count - 1; all where that is more. */
function everyFew(count: number, wanted: number): number[] {
  const taken = Math.min(count, wanted);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}
