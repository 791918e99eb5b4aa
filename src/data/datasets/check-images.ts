/** Reads image files in full: which cannot be decoded, and which are the same byte for byte. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { readTextIfThere, writeFileAtomic } from '../../base/files.ts';
import { inParallel } from '../../base/parallel.ts';
import { plural } from '../../base/plural.ts';
import { isFilmName } from '../films/names.ts';
import { sampleFrames } from '../films/sample.ts';
import { decodeImage, defaultMaxBytes } from '../images/decode.ts';
import { parseAddress } from '../shards/address.ts';
import { contentHash, readPicture } from '../shards/picture.ts';
import type { DatasetImage, SplitName } from './dataset.ts';

export interface CheckedImage {
  /** SHA-256 of the file's bytes; undefined where they cannot be read. */
  readonly hash: string | undefined;
  /** A sentence with the path, where the image cannot be decoded. */
  readonly fault: string | undefined;
}

export interface CheckOptions {
  /**
   * A file that remembers, by hash, which images were decoded before: these are only read again. It
   * is made where there is none.
   */
  readonly memory?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Decodes every file, to the last pixel, and hashes its bytes. In the order of `paths`. */
export async function checkImages(
  paths: readonly string[],
  { memory, signal, onProgress }: CheckOptions = {},
): Promise<CheckedImage[]> {
  const known = new Set(memory && (await readTextIfThere(memory))?.split('\n').filter(Boolean));
  let done = 0;
  const checked = await inParallel(paths, 2 * availableParallelism(), async (path) => {
    signal?.throwIfAborted();
    const image = await checkImage(path, known);
    onProgress?.(++done, paths.length);
    return image;
  });
  if (memory === undefined) return checked;
  const before = known.size;
  for (const { hash, fault } of checked)
    if (hash !== undefined && fault === undefined) known.add(hash);
  if (known.size > before) await writeFileAtomic(memory, `${[...known].join('\n')}\n`);
  return checked;
}

async function checkImage(path: string, known: ReadonlySet<string>): Promise<CheckedImage> {
  if (isFilmName(path)) return checkFilm(path, known);
  // What cannot be read, or is too large to, decodeImage describes.
  const isReadable =
    parseAddress(path) !== undefined ||
    (await stat(path).then(
      (about) => about.isFile() && about.size <= defaultMaxBytes,
      () => false,
    ));
  const bytes = isReadable ? await readPicture(path).catch(() => undefined) : undefined;
  const hash = bytes && sha256(bytes);
  if (hash !== undefined && known.has(hash)) return { hash, fault: undefined };
  return { hash, fault: await faultOf(decodeImage(bytes ?? path, { name: path })) };
}

/** Reads a film to its end. */
async function checkFilm(path: string, known: ReadonlySet<string>): Promise<CheckedImage> {
  const hash = await contentHash(path).catch(() => undefined);
  if (hash !== undefined && known.has(hash)) return { hash, fault: undefined };
  return { hash, fault: await faultOf(sampleFrames(path, 1)) };
}

function faultOf(decoding: Promise<unknown>): Promise<string | undefined> {
  return decoding.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/** An image and its content. */
export interface HashedMember {
  readonly id: string;
  readonly split: SplitName;
  /** Undefined: not compared. */
  readonly hash: string | undefined;
}

/** Groups of two and more images with the same bytes, in the order of their first one. */
export interface Duplicates {
  /** In two splits or more: what is learned from one is tested on the other. */
  readonly acrossSplits: readonly (readonly HashedMember[])[];
  readonly withinSplit: readonly (readonly HashedMember[])[];
}

/** Finds images that are the same byte for byte. */
export function findDuplicates(images: readonly HashedMember[]): Duplicates {
  const byHash = new Map<string, HashedMember[]>();
  for (const image of images) {
    if (image.hash === undefined) continue;
    const group = byHash.get(image.hash);
    if (group) group.push(image);
    else byHash.set(image.hash, [image]);
  }
  const groups = [...byHash.values()].filter((group) => group.length > 1);
  const leaks = (group: HashedMember[]) => group.some(({ split }) => split !== group[0].split);
  return {
    acrossSplits: groups.filter(leaks),
    withinSplit: groups.filter((group) => !leaks(group)),
  };
}

/**
 * The images that can be decoded, and sentences on what was left out and on images that are in two
 * splits at once.
 */
export async function usableImages(
  images: readonly DatasetImage[],
  options: CheckOptions = {},
): Promise<{ images: DatasetImage[]; notes: string[] }> {
  const checked = await checkImages(
    images.map(({ path }) => path),
    options,
  );
  const notes: string[] = [];
  const faults = checked.flatMap(({ fault }) => fault ?? []);
  if (faults.length === 1) notes.push(`1 image is left out: ${faults[0]}`);
  else if (faults.length > 1)
    notes.push(
      `${faults.length} images cannot be decoded and are left out; the first: ${faults[0]}`,
    );
  const leak = describeLeakage(
    images.map(({ id, split }, i) => ({ id, split, hash: checked[i].hash })),
  );
  if (leak !== undefined) notes.push(leak);
  return { images: images.filter((_, i) => checked[i].fault === undefined), notes };
}

/** A sentence on images that are in two splits at once, if there are any. Reads files, decodes none. */
export async function leakageNote(
  images: readonly DatasetImage[],
  signal?: AbortSignal,
): Promise<string | undefined> {
  const atOnce = 2 * availableParallelism();
  const members = await inParallel(images, atOnce, async ({ id, split, path }) => {
    signal?.throwIfAborted();
    return { id, split, hash: await contentHash(path).catch(() => undefined) };
  });
  return describeLeakage(members);
}

function describeLeakage(images: readonly HashedMember[]): string | undefined {
  const { acrossSplits } = findDuplicates(images);
  if (acrossSplits.length === 0) return undefined;
  const what = plural(acrossSplits.length, 'picture is', 'pictures are');
  const example = acrossSplits[0].map(({ id, split }) => `${id} (${split})`).join(' = ');
  return `Leakage: ${what} in two splits or more, such as ${example}; what is learned in one is measured in the other.`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
