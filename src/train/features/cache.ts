/**
 * The image tokens of a frozen tower, computed once and kept on disk: f16, in shards that are reused
 * while tower, preprocessing and their images' bytes stay the same.
 */
import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import type { Augmentation, Framing } from '../../data/images/augment.ts';
import type { PretrainedTower } from '../../model/checkpoint/tower.ts';
import { towerOf } from '../../model/towers/towers.ts';
import { buildShards, type MissingGroup, type MissingShard } from './build.ts';
import {
  type FeatureImage,
  hashImages,
  type ImageGroup,
  planShards,
  shardKey,
  type ViewSettings,
  viewFraming,
} from './plan.ts';
import {
  checkShard,
  FilePool,
  readShardImage,
  type Shard,
  type ShardContent,
  shardBytes,
} from './shard.ts';
import { removeAbandoned } from './temporary.ts';

export type { FeatureImage } from './plan.ts';

/** Tokens of a list of images. Dispose it when done. */
export interface FeatureCache extends AsyncDisposable {
  /** f16 values of one view of an image: frames * tokens * width. */
  readonly valuesPerImage: number;
  readonly views: number;
  /**
   * Copies the tokens of the images at these places of the list, each in the view beside it, into
   * `target`, one after the other.
   * @throws InputError naming a file that was damaged or removed since the cache was opened
   */
  read(places: readonly number[], views: readonly number[], target: Uint16Array): Promise<void>;
  /** What an augmented view shows of the image at this place, which has this size; undefined: all of it. */
  framing(
    place: number,
    view: number,
    size: { readonly width: number; readonly height: number },
  ): Framing | undefined;
}

export interface FeatureOptions {
  /** Where the shards are kept; several runs may share it. */
  readonly folder: string;
  /** Frames of each, spread over a clip; a picture stands still. Default 1. */
  readonly frames?: number;
  /** Views of each image. View 0 is the plain image, the others are augmented. Default 1. */
  readonly views?: number;
  /** Needed where there is more than one view. */
  readonly augmentation?: Augmentation;
  /** What augmented views are drawn from. Default 0. */
  readonly seed?: number;
  readonly threads?: number;
  readonly device?: string;
  readonly signal?: AbortSignal;
  /** Called with features computed and features to compute, where some are missing. */
  readonly onProgress?: (done: number, total: number) => void;
  /** A sentence for the person: the size of what is computed, a damaged shard. */
  readonly onNote?: (note: string) => void;
  /** Whether the images are some of many more, so that their size says little and is not told. */
  readonly isPart?: boolean;
}

const openFiles = 256;

/** f16 values of an image's tokens. */
function valuesOf(tower: PretrainedTower, frames = 1): number {
  return frames * towerOf(tower.config).tokens * tower.config.hidden_size;
}

/** Bytes on disk of the features of `images` images in `views` views, near enough. */
export function featureBytes(tower: PretrainedTower, images: number, views = 1): number {
  return views * shardBytes({ images, valuesPerImage: valuesOf(tower) });
}

/**
 * Opens the features of the images, computing those that are not there. A build that is interrupted
 * goes on with the first group of images that is not whole. Every shard is checked by its key and
 * checksums; a damaged one is computed again.
 * @throws InputError naming an image that cannot be read, or a disk that is too small
 */
export async function openFeatures(
  tower: PretrainedTower,
  images: readonly FeatureImage[],
  options: FeatureOptions,
): Promise<FeatureCache> {
  const { folder, frames = 1, views = 1, augmentation, seed = 0, signal, onNote } = options;
  if (views > 1 && augmentation === undefined)
    throw new RangeError('several views need settings of augmentation');
  const settings: ViewSettings = {
    frames,
    tower: tower.fingerprint,
    preprocessing: tower.preprocessing,
    seed,
    augmentation,
  };
  const plan = planShards(await hashImages(images, signal));
  const valuesPerImage = valuesOf(tower, frames);
  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder);

  const { shards, missing } = await findShards(
    plan.groups,
    views,
    settings,
    valuesPerImage,
    options,
  );
  if (missing.length > 0) {
    await checkSpace(folder, missing, options.isPart ? undefined : onNote);
    await buildShards(tower, missing, { ...options, settings });
  }

  const files = new FilePool(openFiles);
  const bytes = valuesPerImage * Uint16Array.BYTES_PER_ELEMENT;
  const readOne = async (place: number, view: number, target: Uint8Array): Promise<void> => {
    const shard = shards[plan.group[place]]?.[view];
    if (shard === undefined) throw new RangeError(`there is no view ${view} of image ${place}`);
    await files.with(shard.path, (file) => readShardImage(file, shard, plan.slot[place], target));
  };
  return {
    valuesPerImage,
    views,
    read: async (places, chosen, target) => {
      const view = (i: number) =>
        new Uint8Array(target.buffer, target.byteOffset + i * bytes, bytes);
      await Promise.all(places.map((place, i) => readOne(place, chosen[i], view(i))));
    },
    framing: (place, view, size) => {
      const image = plan.groups[plan.group[place]][plan.slot[place]];
      return viewFraming(image, view, size, settings);
    },
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

/** Shards by group and view, and those that are not there or not whole, which take their place when written. */
async function findShards(
  groups: readonly ImageGroup[],
  views: number,
  settings: ViewSettings,
  valuesPerImage: number,
  { folder, signal, onNote }: FeatureOptions,
): Promise<{ shards: readonly Shard[][]; missing: readonly MissingGroup[] }> {
  const shards: Shard[][] = groups.map(() => []);
  const missing: MissingGroup[] = [];
  for (const [g, group] of groups.entries()) {
    signal?.throwIfAborted();
    const absent: MissingShard[] = [];
    for (let view = 0; view < views; view++) {
      const key = shardKey(group, view, settings);
      const content: ShardContent = { key, images: group.length, valuesPerImage };
      const path = join(folder, `${key.slice(0, 20)}.f16`);
      const found = await checkShard(path, content);
      if (found === 'damaged')
        onNote?.(`${path}: these image features are damaged; they are computed again.`);
      const keep = (shard: Shard): void => {
        shards[g][view] = shard;
      };
      if (found === undefined || found === 'damaged')
        absent.push({ view, path, content, onWritten: keep });
      else keep(found);
    }
    if (absent.length > 0) missing.push({ images: group, shards: absent });
  }
  return { shards, missing };
}

/** Says how much is computed. @throws InputError when the disk has no room for it */
async function checkSpace(
  folder: string,
  missing: readonly MissingGroup[],
  onNote: FeatureOptions['onNote'],
): Promise<void> {
  const wanted = missing.flatMap(({ shards }) => shards.map(({ content }) => content));
  const bytes = wanted.reduce((sum, content) => sum + shardBytes(content), 0);
  const count = wanted.reduce((sum, { images }) => sum + images, 0);
  const { bavail, bsize } = await statfs(folder);
  if (bytes > bavail * bsize)
    throw new InputError(
      `${folder}: the image features need ${megabytes(bytes)} and the disk has ${megabytes(bavail * bsize)} left; free some space, use fewer views, or name a folder on another disk.`,
    );
  onNote?.(
    `Computing the features of ${count.toLocaleString('en')} ${count === 1 ? 'image' : 'images and views'}: ${megabytes(bytes)} in ${folder}.`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`;
}
