/** Packs a dataset into shards: the same dataset gives the same bytes, and a stopped run goes on. */
import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { writeFileAtomic, writing } from '../../base/files.ts';
import { removeLeftovers } from '../../base/folders.ts';
import { lockFolder } from '../../base/lock.ts';
import { checkWritableFolder } from '../../base/writable.ts';
import { type DatasetImage, type SplitName, splitNames } from '../datasets/dataset.ts';
import { type DatasetOptions, readDataset } from '../datasets/read.ts';
import { readBytes } from '../images/bytes.ts';
import { defaultMaxBytes } from '../images/decode.ts';
import { sniffFormat } from '../images/formats.ts';
import {
  type PackedSample,
  type PackFormat,
  packedExtensions,
  packFormatRules,
} from './formats.ts';
import { sampleKeys } from './keys.ts';
import {
  datasetFingerprint,
  type PackedShard,
  type PackManifest,
  readManifest,
  writeManifest,
} from './manifest.ts';

export interface PackOptions {
  readonly reading?: DatasetOptions;
  readonly format: PackFormat;
  /** A shard ends with the picture that reaches so many bytes of pictures. */
  readonly shardBytes: number;
  readonly signal?: AbortSignal;
  /** Told of each image that is packed or left out. */
  readonly onImage?: () => void;
  readonly onNote?: (note: string) => void;
}

/** What was packed, and sentences on what could not be. */
export interface Packed {
  readonly manifest: PackManifest;
  readonly failures: readonly string[];
}

/**
 * Writes train-000000.tar and so on into the folder, with manifest.json: counts by split, checksums (SHA-256). Pictures
 * go in as they are, in the dataset's order.
 * @throws InputError when the folder holds a pack of something else or cannot be written; the signal's reason when aborted
 */
export async function packDataset(
  source: string,
  folder: string,
  options: PackOptions,
): Promise<Packed> {
  const { reading, format, shardBytes, onNote } = options;
  const { images, notes } = await readDataset(source, reading);
  for (const note of notes) onNote?.(note);
  await checkWritableFolder(folder);
  await writing(folder, () => mkdir(folder, { recursive: true }));
  await using _lock = await lockFolder(folder);
  await removeLeftovers(folder);
  const about = { format, shardBytes, dataset: datasetFingerprint(images) };
  const done = await doneBefore(folder, about);
  const failures: string[] = [];
  const keys = sampleKeys(images.map(({ id }) => id));
  const shards: PackedShard[] = [];
  for (const split of splitNames) {
    const own = images.flatMap((image, i) =>
      image.split === split ? [{ image, key: keys[i] }] : [],
    );
    let number = 0;
    for (let start = 0; start < own.length; start += shards[shards.length - 1].taken) {
      const name = nameOf(split, number++, format);
      const known = done.get(name);
      const place = { path: join(folder, name), name, split };
      const shard = known ?? (await writeShard(place, own, start, { options, failures }));
      if (known) for (let i = 0; i < known.taken; i++) options.onImage?.();
      shards.push(shard);
      await writeManifest(folder, { ...about, isWhole: false }, shards);
    }
  }
  return { manifest: await writeManifest(folder, { ...about, isWhole: true }, shards), failures };
}

function nameOf(split: SplitName, number: number, format: PackFormat): string {
  return `${split}-${String(number).padStart(6, '0')}${packFormatRules[format].ending}`;
}

/** The shards of an earlier run that are there as it left them. @throws InputError when it was of something else */
async function doneBefore(
  folder: string,
  about: Pick<PackManifest, 'format' | 'shardBytes' | 'dataset'>,
): Promise<Map<string, PackedShard>> {
  const before = await readManifest(folder);
  for (const name of ['format', 'shardBytes', 'dataset'] as const)
    if (before && before[name] !== about[name])
      throw new InputError(
        `${folder}: it holds a pack ${name === 'dataset' ? 'of another dataset' : `with another ${name === 'format' ? '--format' : '--shard-size'} (${before[name]})`}; choose another folder.`,
      );
  const done = new Map<string, PackedShard>();
  for (const shard of before?.shards ?? []) {
    const found = await stat(join(folder, shard.name)).catch(() => undefined);
    if (found?.size === shard.bytes) done.set(shard.name, shard);
  }
  return done;
}

interface Waiting {
  readonly image: DatasetImage;
  readonly key: string;
}

interface ShardPlace extends Pick<PackedShard, 'name' | 'split'> {
  readonly path: string;
}

interface ShardContext {
  readonly options: PackOptions;
  readonly failures: string[];
}

/** Writes as many of the images, from `start` on, as fill a shard. */
async function writeShard(
  { path, name, split }: ShardPlace,
  waiting: readonly Waiting[],
  start: number,
  { options, failures }: ShardContext,
): Promise<PackedShard> {
  const { format, shardBytes, signal, onImage } = options;
  const counts = { images: 0, captions: 0, taken: 0 };
  async function* samples(): AsyncGenerator<PackedSample> {
    let size = 0;
    for (let i = start; i < waiting.length && size < shardBytes; i++) {
      const { image, key } = waiting[i];
      signal?.throwIfAborted();
      counts.taken += 1;
      const sample = await sampleOf(image, key, failures);
      onImage?.();
      if (!sample) continue;
      counts.images += 1;
      counts.captions += sample.captions.length;
      size += sample.bytes.length;
      yield sample;
    }
  }
  const hash = createHash('sha256');
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const part of packFormatRules[format].write(samples())) {
      hash.update(part);
      bytes += part.length;
      yield part;
    }
  }
  await writeFileAtomic(path, counted());
  const { images, captions, taken } = counts;
  return { name, split, images, captions, bytes, sha256: hash.digest('hex'), taken };
}

/** Undefined of what is no picture, whose sentence is added to the failures. */
async function sampleOf(
  { id, path, split, captions }: DatasetImage,
  key: string,
  failures: string[],
): Promise<PackedSample | undefined> {
  try {
    const bytes = await readBytes(path, path, defaultMaxBytes);
    const sniffed = sniffFormat(bytes);
    const extension = 'decodable' in sniffed ? packedExtensions[sniffed.decodable] : undefined;
    if (extension === undefined) {
      const what = 'decodable' in sniffed ? sniffed.decodable : sniffed.other;
      throw new InputError(`${path}: the file is ${what}, not a picture that is read.`);
    }
    return { key, id, split, captions, bytes, extension };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    failures.push(error.message);
    return undefined;
  }
}
