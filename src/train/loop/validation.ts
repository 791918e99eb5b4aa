/** What is measured after each epoch: losses of both paths, captions and their scores. */

import { Opened } from '../../base/disposal.ts';
import { createRandom } from '../../base/random.ts';
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import { parametersOf, type Value } from '../../engine/graph/graph.ts';
import { Session, type SessionOptions } from '../../engine/runtime/session.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import { generate } from '../../generation/generate.ts';
import type { Inference } from '../../generation/inference.ts';
import type { GenerationSettings } from '../../generation/options.ts';
import type { BlipConfig } from '../../model/config.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import type { TrainConfig } from '../config/config.ts';
import type { GroundedCaptions } from '../grounding/boxes.ts';
import { addSums, type ObjectiveSums, objectiveSums } from '../objective/gradients.ts';
import type { TrainingGraphs } from '../objective/graphs.ts';
import {
  captionsOf,
  type EncodedCaptions,
  epochBatches,
  type Repeats,
  textBatch,
} from './batches.ts';
import { liveInference } from './generation.ts';
import type { ImageFeed } from './images.ts';
import {
  type ImageReferences,
  meanMetrics,
  scoreCaptions,
  type ValidationMetrics,
} from './scoring.ts';

/** Captions and images of one split, in the same order. */
export interface TrainingSplit {
  readonly captions: EncodedCaptions;
  readonly references: ImageReferences;
  /** Names to show. */
  readonly files: readonly string[];
  readonly images: ImageFeed;
  /** How often an epoch shows each image. */
  readonly repeats?: Repeats;
  /** People's boxes for words of the captions, where they are taught with. */
  readonly grounded?: GroundedCaptions;
  /** The source of each image, where there are several. */
  readonly sources?: readonly string[] | undefined;
}

export interface Validation {
  /** Nats a word: summed over words and ends, divided by their number. */
  readonly losses: { readonly base: number; readonly refined?: number };
  /** Where there are several sources, the mean of theirs. */
  readonly metrics?: ValidationMetrics;
  /** Of each source alone. */
  readonly bySource?: Readonly<Record<string, ValidationMetrics>>;
  readonly samples: readonly { readonly file: string; readonly caption: string }[];
  /** Images that were captioned, and how long that took. */
  readonly captioning: { readonly images: number; readonly seconds: number };
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
      parametersOf(Object.values(lossSums(graphs))).map((name) => [
        name,
        store.tensor(name, trainable),
      ]),
    );
  }

  static async open(input: ValidatorInput): Promise<Validator> {
    const { graphs, store, trainable, model, session } = input;
    using opened = new Opened();
    const losses = opened.use(await Session.open(lossSums(graphs), session));
    const inference = opened.use(await liveInference(graphs, model, store, session, { trainable }));
    opened.keep();
    return new Validator(input, losses, inference);
  }

  async run(signal?: AbortSignal): Promise<Validation> {
    const losses = await this.#lossesPerWord(signal);
    const { dev, config } = this.#input;
    const scored = everyFew(dev.captions.length, config.validationImages ?? dev.captions.length);
    const shown = everyFew(dev.captions.length, config.samplePictures);
    const started = performance.now();
    const captions = await this.#captions([...new Set([...scored, ...shown])], signal);
    const seconds = (performance.now() - started) / 1000;
    const written = (place: number): string => captions.get(place) ?? '';
    return {
      losses,
      ...(scored.length > 0 && (await this.#scores(scored, written, signal))),
      samples: shown.map((place) => ({ file: dev.files[place], caption: written(place) })),
      captioning: { images: captions.size, seconds },
    };
  }

  /** Scores of the captions at these places, source by source where there are several. */
  async #scores(
    scored: readonly number[],
    written: (place: number) => string,
    signal?: AbortSignal,
  ): Promise<Pick<Validation, 'metrics' | 'bySource'>> {
    const { dev } = this.#input;
    const scoresOf = (places: readonly number[]) =>
      scoreCaptions(
        places.map(written),
        places.map((place) => dev.references[place]),
        signal,
      );
    const { sources } = dev;
    if (!sources) return { metrics: await scoresOf(scored) };
    const found: [string, ValidationMetrics][] = [];
    for (const source of new Set(sources)) {
      const places = scored.filter((place) => sources[place] === source);
      if (places.length > 0) found.push([source, await scoresOf(places)]);
    }
    return {
      metrics: meanMetrics(found.map(([, metrics]) => metrics)),
      bySource: Object.fromEntries(found),
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
        [dev.images.kind]: (await dev.images.read(batch.map(({ image }) => image))).images,
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
      const { images } = await dev.images.read(part);
      const encoded = await this.#inference.encode(images);
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

/** What the losses a word are made from. */
function lossSums({ validation: { base, refined, count } }: TrainingGraphs): Record<string, Value> {
  return { base, count, ...(refined && { refined }) };
}

/** `wanted` places spread evenly over 0 .. count - 1; all where that is more. */
export function everyFew(count: number, wanted: number): number[] {
  const taken = Math.min(count, wanted);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}
