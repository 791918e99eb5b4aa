/** A run's steps from shards, read as they are needed: memory holds a buffer of captions, whatever the shards hold. */
import { InputError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { TrainConfig } from '../config/config.ts';
import type { Peers } from '../distributed/peers.ts';
import { type EncodedCaption, textBatch } from '../loop/batches.ts';
import { drawsOfPart, type StepPart, type StepSource } from '../loop/steps.ts';
import { type EntryOptions, readEntries, ShardsInUse, type StreamEntry } from './entries.ts';
import type { StreamImages } from './images.ts';
import { batchesOf, drawsOfRank, shardsOfRank, shuffled, someOf } from './order.ts';

export interface StreamInput {
  /** Addresses of the train shards. */
  readonly shards: readonly string[];
  /** Pictures of an epoch. */
  readonly epochImages: number;
  readonly config: Pick<
    TrainConfig,
    'seed' | 'batchSize' | 'microBatch' | 'captionsPerImage' | 'maxWords' | 'maxSkippedSteps'
  >;
  /** Pictures that wait to be drawn. */
  readonly buffer: number;
  readonly peers: Pick<Peers, 'rank' | 'size'>;
  readonly images: StreamImages;
  readonly entries: EntryOptions;
  readonly padId: number;
  encode(caption: string): EncodedCaption;
}

/** A picture of a step with those of its captions that the step shows. */
interface StreamUnit {
  readonly entry: StreamEntry;
  readonly captions: readonly string[];
}

/**
 * The steps of a stream. An epoch has as many on every rank; a rank whose shards give fewer pictures begins them anew,
 * one whose shards give more leaves the rest. A step of the middle is come to by reading captions, not pictures.
 * @throws InputError when there are fewer pictures than a step takes, or fewer shards than ranks
 */
export function streamSteps(input: StreamInput): StepSource {
  const { shards, epochImages, config, peers, images } = input;
  const perStep = config.batchSize * peers.size;
  const stepsPerEpoch = Math.floor(epochImages / perStep);
  if (stepsPerEpoch === 0)
    throw new InputError(
      `batchSize (${config.batchSize})${peers.size > 1 ? ` on ${peers.size} ranks` : ''}: a step takes ${perStep} pictures, but an epoch has ${epochImages}; lower it.`,
    );
  if (shards.length < peers.size)
    throw new InputError(
      `${shards[0]}: ${peers.size} ranks need a train shard each, and there are ${shards.length}; pack with a smaller --shard-size.`,
    );
  let emptyInARow = 0;
  return {
    kind: images.kind,
    stepsPerEpoch,
    async *steps({ epoch, done, first, most }) {
      const inUse = new ShardsInUse((shard) => images.forget(shard));
      const end = Math.min(stepsPerEpoch, done + most);
      if (done >= end) return undefined;
      let at = 0;
      try {
        for await (const batch of unitBatches(input, epoch, stepsPerEpoch, inUse)) {
          if (at >= done) {
            const parts = await loadParts(input, batch, first + at - done);
            emptyInARow = parts.length > 0 ? 0 : emptyInARow + 1;
            if (emptyInARow >= config.maxSkippedSteps) throw nothingToRead(emptyInARow, batch);
            yield parts;
          }
          for (const { entry } of batch) await inUse.letGo(entry.shard);
          at++;
          if (at === end) break;
        }
        return undefined;
      } finally {
        await inUse.letAllGo();
      }
    },
  };
}

/** The rank's batches of an epoch. */
function unitBatches(
  input: StreamInput,
  epoch: number,
  count: number,
  inUse: ShardsInUse,
): AsyncGenerator<StreamUnit[]> {
  const { config, peers } = input;
  const random = drawsOfRank(config.seed, epoch, peers);
  const shards = shardsOfRank(input.shards, config.seed, epoch, peers);
  const units = unitsOf(input, shards, random, inUse);
  const longest = ({ captions }: StreamUnit) =>
    captions.reduce((most, text) => Math.max(most, wordsIn(text, config.maxWords)), 0);
  return batchesOf(units, { size: config.batchSize, count }, longest, random);
}

/** Without end: after a pass over the shards comes another. @throws InputError when a pass finds nothing */
async function* unitsOf(
  { buffer, config, images, entries }: StreamInput,
  shards: readonly string[],
  random: Random,
  inUse: ShardsInUse,
): AsyncGenerator<StreamUnit> {
  for (;;) {
    let found = 0;
    const read = readEntries(shards, inUse, images.kind === 'pixels', entries);
    for await (const entry of shuffled(read, buffer, random)) {
      found++;
      yield { entry, captions: someOf(entry.captions, config.captionsPerImage, random) };
    }
    if (found === 0)
      throw new InputError(
        `${shards[0]}: ${shards.length === 1 ? 'the shard has' : `the ${shards.length} shards of a rank have`} no picture with a caption to train on.`,
      );
  }
}

function wordsIn(text: string, most: number): number {
  return Math.min(most, text.split(/\s+/).length);
}

/** A rank's parts (micro-batches) of a step; pictures that cannot be read are left out, and move no other. */
async function loadParts(
  { config, peers, images, padId, encode }: StreamInput,
  batch: readonly StreamUnit[],
  step: number,
): Promise<StepPart[]> {
  const size = config.microBatch ?? config.batchSize;
  const parts: StepPart[] = [];
  for (let start = 0; start < batch.length; start += size) {
    const units = batch.slice(start, start + size);
    const draws = drawsOfPart(config.seed, step, peers.rank * config.batchSize + start);
    const read = await images.read(
      units.map(({ entry }) => entry),
      draws.ofImages,
    );
    if (!read) continue;
    const { fed, places } = read;
    const chosen = places.map((place) => units[place].captions.map(encode));
    const text = textBatch(chosen, padId);
    parts.push({ places, fed, text, seed: draws.ofDropout });
  }
  return parts;
}

function nothingToRead(steps: number, [{ entry }]: readonly StreamUnit[]): InputError {
  return new InputError(
    `${steps} steps in a row had no picture that can be read, the last with ${entry.address}; check the shards. The last saved model is unchanged.`,
  );
}
