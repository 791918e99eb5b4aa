/** How a stream's pictures are fed: decoded in each step, or as a frozen tower's features that are kept shard by shard. */
import { InputError } from '../../base/errors.ts';
import { f16ToF32 } from '../../base/half.ts';
import { createRandom } from '../../base/random.ts';
import { checkImages } from '../../data/datasets/check-images.ts';
import { type Augmentation, framed, mayFlip, randomFraming } from '../../data/images/augment.ts';
import { decodeImage } from '../../data/images/decode.ts';
import type { Preprocessor } from '../../data/images/preprocess.ts';
import type { RgbImage } from '../../data/images/rgb.ts';
import { tensor } from '../../engine/runtime/tensor.ts';
import type { PretrainedTower } from '../../model/checkpoint/tower.ts';
import { dropoutSeed } from '../../nn/dropout.ts';
import {
  type FeatureCache,
  type FeatureImage,
  type FeatureOptions,
  openFeatures,
} from '../features/cache.ts';
import type { FedImages, ImageFeed } from '../loop/images.ts';
import { type EntryOptions, type StreamEntry, samplesToTrain } from './entries.ts';

/** Pictures of a stream as a step takes them. */
export interface StreamImages {
  readonly kind: ImageFeed['kind'];
  /**
   * Those of the pictures that can be read, with their places in the list; the others are told. What one is shown as
   * does not depend on the others. @param draw seed of views or augmentation
   * @returns undefined where none can be read
   */
  read(
    entries: readonly StreamEntry[],
    draw: number,
  ): Promise<{ readonly fed: FedImages; readonly places: readonly number[] } | undefined>;
  /** Computes what is kept of the shard now, not when the first of its pictures is wanted. @throws as `read` */
  ready(shard: string): Promise<void>;
  /** The shard is needed no more. */
  forget(shard: string): Promise<void>;
}

/** Pixels, freshly augmented. */
export function decodedStream(
  preprocessor: Preprocessor,
  augmentation: Augmentation | null,
  onFault: EntryOptions['onFault'],
): StreamImages {
  const { width, height } = preprocessor.preprocessing;
  const decode = async (entry: StreamEntry): Promise<RgbImage | undefined> => {
    try {
      return await decodeImage(await entry.read(), { name: entry.address });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      onFault(entry.address, error.message);
      return undefined;
    }
  };
  return {
    kind: 'pixels',
    async read(entries, draw) {
      const decoded = await Promise.all(entries.map(decode));
      const found = decoded.flatMap((image, place) => (image ? [{ image, place }] : []));
      if (found.length === 0) return undefined;
      const pixels = tensor('f32', [found.length, 3, height, width]);
      for (const [slot, { image, place }] of found.entries()) {
        const random = createRandom(dropoutSeed(draw, place));
        const framing =
          augmentation &&
          randomFraming(image, augmentation, random, mayFlip(entries[place].captions));
        preprocessor.write(framing ? framed(image, framing) : image, pixels.data, slot);
      }
      const places = found.map(({ place }) => place);
      return { fed: { images: pixels, concepts: {} }, places };
    },
    ready: async () => undefined,
    forget: async () => undefined,
  };
}

export interface CachedStreamOptions extends Omit<FeatureOptions, 'frames' | 'isPart'> {
  readonly views: number;
  /** Of the tokens that are fed. */
  readonly dtype: 'f16' | 'f32';
  readonly entries: EntryOptions;
}

/** A shard's features. */
interface FeaturesOfShard {
  readonly cache: FeatureCache;
  /** Slots of its training pictures in the cache; -1 of one that cannot be read. */
  readonly slots: readonly number[];
}

/** Tokens of a frozen tower; a shard's are computed and kept when the first of its pictures is wanted. */
export function cachedStream(tower: PretrainedTower, options: CachedStreamOptions): StreamImages {
  const { views, dtype } = options;
  const width = tower.config.hidden_size;
  const shards = new Map<string, Promise<FeaturesOfShard>>();
  const faulty = new Set<string>();
  const featuresOf = (shard: string): Promise<FeaturesOfShard> => {
    const opened = shards.get(shard) ?? openShardFeatures(tower, shard, faulty, options);
    shards.set(shard, opened);
    return opened;
  };
  return {
    kind: 'tokens',
    async read(entries, draw) {
      const random = createRandom(draw);
      const found: { place: number; view: number; slot: number; cache: FeatureCache }[] = [];
      for (const [place, entry] of entries.entries()) {
        const view = random.integer(views);
        const { cache, slots } = await featuresOf(entry.shard);
        const slot = slots[entry.place] ?? -1;
        if (slot >= 0) found.push({ place, view, slot, cache });
      }
      if (found.length === 0) return undefined;
      const size = found[0].cache.valuesPerImage;
      const tokens = tensor('f16', [found.length, size / width, width]);
      await Promise.all(
        found.map(({ cache, slot, view }, i) =>
          cache.read([slot], [view], tokens.data.subarray(i * size, (i + 1) * size)),
        ),
      );
      const images = dtype === 'f16' ? tokens : tensor('f32', tokens.shape, f16ToF32(tokens.data));
      return { fed: { images, concepts: {} }, places: found.map(({ place }) => place) };
    },
    async ready(shard) {
      await featuresOf(shard);
    },
    async forget(shard) {
      const opened = shards.get(shard);
      shards.delete(shard);
      // One that did not open has nothing to close.
      const features = await opened?.catch(() => undefined);
      await features?.cache[Symbol.asyncDispose]();
    },
  };
}

/** @param faulty addresses of pictures that are known to be so, to which those found are added */
async function openShardFeatures(
  tower: PretrainedTower,
  shard: string,
  faulty: Set<string>,
  { entries, dtype: _, ...options }: CachedStreamOptions,
): Promise<FeaturesOfShard> {
  const all: FeatureImage[] = [];
  // What is wrong with the shard itself was told when its captions were read.
  for await (const { address, captions } of samplesToTrain(shard, {
    ...entries,
    onFault: () => undefined,
  }))
    all.push({ path: address, mayFlip: mayFlip(captions) });
  const open = () =>
    openFeatures(
      tower,
      all.filter(({ path }) => !faulty.has(path)),
      { ...options, isPart: true },
    );
  const cache = await open().catch(async (error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    const paths = all.map(({ path }) => path).filter((path) => !faulty.has(path));
    const checked = await checkImages(paths, options.signal ? { signal: options.signal } : {});
    const faults = checked.flatMap(({ fault }, i) => (fault ? [{ path: paths[i], fault }] : []));
    // Every picture is fine, so the fault is elsewhere.
    if (faults.length === 0) throw error;
    for (const { path, fault } of faults) {
      faulty.add(path);
      entries.onFault(path, fault);
    }
    return open();
  });
  let slot = 0;
  return { cache, slots: all.map(({ path }) => (faulty.has(path) ? -1 : slot++)) };
}
