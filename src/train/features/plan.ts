/** Which image features go to which shard, and the keys that tell whether a shard is still right. */
import { createHash } from 'node:crypto';
import { InputError } from '../../base/errors.ts';
import { inParallel } from '../../base/parallel.ts';
import { createRandom } from '../../base/random.ts';
import { type Augmentation, type Framing, randomFraming } from '../../data/images/augment.ts';
import type { Preprocessing } from '../../data/images/preprocess.ts';
import { contentHash } from '../../data/shards/picture.ts';

export interface FeatureImage {
  readonly path: string;
  /** Whether augmented views may be mirrored. */
  readonly mayFlip: boolean;
}

/** What decides a view's features beside the image. View 0 is the plain image. */
export interface ViewSettings {
  /** Frames of each, whose tokens lie end to end. */
  readonly frames: number;
  /** Tells towers apart. */
  readonly tower: string;
  readonly preprocessing: Preprocessing;
  readonly seed: number;
  readonly augmentation: Augmentation | undefined;
}

/** An image by its content. */
export interface HashedImage extends FeatureImage {
  /** SHA-256 of the file, 64 hex digits. */
  readonly hash: string;
}

/** The images whose features lie in one shard a view, in the order in which they lie there. */
export type ImageGroup = readonly HashedImage[];

export interface FeaturePlan {
  readonly groups: readonly ImageGroup[];
  /** The group and the slot therein of each image of the list. */
  readonly group: Uint32Array;
  readonly slot: Uint32Array;
}

/** Images of a shard are this many or up to half as many, on average. */
const imagesPerShard = 128;

/**
 * Hashes the images' files.
 * @throws InputError naming one that cannot be read
 */
export async function hashImages(
  images: readonly FeatureImage[],
  signal?: AbortSignal,
): Promise<HashedImage[]> {
  return inParallel(images, 8, async (image) => {
    signal?.throwIfAborted();
    const hash = await contentHash(image.path).catch(() => {
      throw new InputError(`${image.path}: the image cannot be read`);
    });
    return { ...image, hash };
  });
}

/**
 * Deals images out to groups by the first bits of their hash, so that the order of the list does not
 * matter and an image that is added, removed or changed touches no group but its own. Equal files
 * are kept once.
 */
export function planShards(images: readonly HashedImage[]): FeaturePlan {
  const identity = ({ hash, mayFlip }: HashedImage): string => `${hash} ${mayFlip ? 'flip' : ''}`;
  const distinct = new Map(images.map((image) => [identity(image), image]));
  const bits = Math.max(0, Math.ceil(Math.log2(distinct.size / imagesPerShard)));
  const sorted = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1));
  const groups: HashedImage[][] = [];
  const places = new Map<string, readonly [group: number, slot: number]>();
  let last = -1;
  for (const [id, image] of sorted) {
    const bucket = bits === 0 ? 0 : Number.parseInt(image.hash.slice(0, 8), 16) >>> (32 - bits);
    if (bucket !== last) groups.push([]);
    last = bucket;
    const members = groups[groups.length - 1];
    places.set(id, [groups.length - 1, members.length]);
    members.push(image);
  }
  const found = images.map((image) => places.get(identity(image)) ?? [0, 0]);
  return {
    groups,
    group: Uint32Array.from(found, ([group]) => group),
    slot: Uint32Array.from(found, ([, slot]) => slot),
  };
}

/** The key of a group's shard of one view: a hash of all that decides its content. */
export function shardKey(group: ImageGroup, view: number, settings: ViewSettings): string {
  const { tower, preprocessing, seed, augmentation, frames } = settings;
  const drawn = view === 0 ? null : { view, seed, augmentation };
  const hash = createHash('sha256').update(
    JSON.stringify({ tower, preprocessing, drawn, ...(frames > 1 && { frames }) }),
  );
  for (const image of group)
    hash.update(view === 0 ? image.hash : `${image.hash} ${image.mayFlip}`);
  return hash.digest('hex');
}

/**
 * What an image's view shows of it or of each of its frames, which have this size, wherever the image stands in a list;
 * undefined: all of it.
 */
export function viewFraming(
  image: HashedImage,
  view: number,
  size: { readonly width: number; readonly height: number },
  { seed, augmentation }: Pick<ViewSettings, 'seed' | 'augmentation'>,
): Framing | undefined {
  if (view === 0 || augmentation === undefined) return undefined;
  const random = createRandom(viewSeed(image, view, seed));
  return randomFraming(size, augmentation, random, image.mayFlip);
}

/** The random state from which an image's augmented view is drawn. */
export function viewSeed(
  image: HashedImage,
  view: number,
  seed: number,
): readonly [number, number, number, number] {
  const digest = createHash('sha256').update(`${seed} ${view} ${image.hash}`).digest();
  return [0, 4, 8, 12].map((at) => digest.readInt32LE(at)) as [number, number, number, number];
}
