/** Where a run's steps come from: batches with their images, in an order that follows from the seed. */
import { readAhead } from '../../base/ahead.ts';
import { createRandom } from '../../base/random.ts';
import type { BlipConfig } from '../../model/config.ts';
import { towerOf } from '../../model/towers/towers.ts';
import { dropoutSeed } from '../../nn/dropout.ts';
import type { TrainConfig } from '../config/config.ts';
import type { Peers } from '../distributed/peers.ts';
import { type FedBoxes, feedBoxes } from '../grounding/boxes.ts';
import { type Batch, captionsOf, epochBatches, type TextBatch, textBatch } from './batches.ts';
import type { FedImages, ImageFeed } from './images.ts';
import type { TrainingSplit } from './validation.ts';

/** A part of a step that is computed at once. */
export interface StepPart {
  /** Places of its images in the split. */
  readonly places: readonly number[];
  readonly fed: FedImages;
  readonly text: TextBatch;
  /** Of dropout, and of drawn captions. */
  readonly seed: number;
  /** People's boxes for words of the given captions. */
  readonly boxes?: FedBoxes;
}

/** Which steps are wanted. */
export interface WantedSteps {
  /** From 1. */
  readonly epoch: number;
  /** Steps of the epoch that are done. */
  readonly done: number;
  /** The first one's number in the run, from 0. */
  readonly first: number;
  /** Steps at most; an epoch's end comes before. */
  readonly most: number;
}

/** The steps of a run, as one rank computes them. */
export interface StepSource {
  /** The graph's input that images go to. */
  readonly kind: ImageFeed['kind'];
  /** The same for all ranks. */
  readonly stepsPerEpoch: number;
  /**
   * This rank's parts of each step, loaded when they are asked for: the same for the same numbers, whatever was asked
   * for before.
   * @throws InputError naming an image or a file that cannot be read
   */
  steps(wanted: WantedSteps): AsyncGenerator<StepPart[], undefined>;
}

/** Steps of images whose captions are all in memory. */
export function stepsOfSplit(
  split: TrainingSplit,
  config: TrainConfig,
  model: BlipConfig,
  peers: Peers,
): StepSource {
  const whole = { ...config, batchSize: config.batchSize * peers.size };
  /** An epoch's steps, in each of which every rank has a batch of its own. */
  const batchesOf = (seed: number): Batch[] =>
    epochBatches(split.captions, whole, createRandom(seed), split.repeats);
  return {
    kind: split.images.kind,
    stepsPerEpoch: batchesOf(0).length,
    async *steps({ epoch, done, first, most }) {
      const batches = batchesOf(dropoutSeed(config.seed, epoch));
      for (const [i, batch] of batches.slice(done, done + most).entries())
        yield await loadPartsOf(split, batch, first + i, config, model, peers.rank);
      return undefined;
    },
  };
}

/**
 * What a part of a step draws by: the views of its images, and dropout.
 * @param start place of its first image among those of all ranks
 */
export function drawsOfPart(seed: number, step: number, start: number) {
  return {
    ofImages: dropoutSeed(seed, step, 2, start),
    ofDropout: dropoutSeed(seed, step, 1, start),
  };
}

/** A rank's parts (micro-batches) of a step, each with its images drawn and read. */
async function loadPartsOf(
  split: TrainingSplit,
  batch: Batch,
  step: number,
  config: TrainConfig,
  model: BlipConfig,
  rank: number,
): Promise<StepPart[]> {
  const [from, to] = [rank, rank + 1].map((at) => at * config.batchSize);
  const end = Math.min(to, batch.length);
  const size = config.microBatch ?? config.batchSize;
  const parts: StepPart[] = [];
  for (let start = from; start < end; start += size) {
    const units = batch.slice(start, Math.min(start + size, end));
    const places = units.map(({ image }) => image);
    const draws = drawsOfPart(config.seed, step, start);
    const fed = await split.images.read(places, draws.ofImages);
    const text = textBatch(captionsOf(split.captions, units), model.text_config.pad_token_id);
    const { side } = towerOf(model.vision_config).grid;
    parts.push({
      ...{ places, fed, text },
      seed: draws.ofDropout,
      ...(split.grounded && {
        boxes: feedBoxes(split.grounded, units, fed.seen ?? [], text.shape, side),
      }),
    });
  }
  return parts;
}

/** Each step while the next one is loaded, with the milliseconds that it was waited for. */
export async function* loadedAhead<Step>(
  steps: AsyncGenerator<Step, undefined>,
): AsyncGenerator<{ readonly step: Step; readonly waited: number }> {
  const read = readAhead(steps, 1);
  try {
    for (;;) {
      const started = performance.now();
      const { value: step, done } = await read.next();
      if (done === true || step === undefined) return;
      yield { step, waited: performance.now() - started };
    }
  } finally {
    // Whoever stops early must not leave a read behind that fails when the file is closed.
    await read.return(undefined);
  }
}
