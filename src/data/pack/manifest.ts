/** What a pack holds, in manifest.json: written shard by shard, so that a stopped run goes on. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../base/errors.ts';
import { readTextIfThere, writeFileAtomic } from '../../base/files.ts';
import { parseJson } from '../../base/json.ts';
import { type DatasetImage, splitNames } from '../datasets/dataset.ts';
import { packFormats } from './formats.ts';

const count = z.int().nonnegative();

const shardSchema = z.object({
  name: z.string(),
  split: z.enum(splitNames),
  images: count,
  captions: count,
  bytes: count,
  sha256: z.string(),
  /** Images of the dataset that it took, those among them that could not be read. */
  taken: count,
});

const manifestSchema = z.object({
  format: z.enum(packFormats),
  shardBytes: count,
  /** Of ids, splits and captions of all images. */
  dataset: z.string(),
  isWhole: z.boolean(),
  splits: z.record(
    z.enum(splitNames),
    z.object({ shards: count, images: count, captions: count, bytes: count }),
  ),
  shards: z.array(shardSchema),
});

export type PackedShard = z.infer<typeof shardSchema>;
export type PackManifest = z.infer<typeof manifestSchema>;

const fileName = 'manifest.json';

/** Tells datasets apart by what is packed of them. */
export function datasetFingerprint(images: readonly DatasetImage[]): string {
  const hash = createHash('sha256');
  for (const { id, split, captions } of images) hash.update(JSON.stringify([id, split, captions]));
  return hash.digest('hex');
}

/**
 * The manifest of a folder; undefined where there is none.
 * @throws InputError when it is no manifest
 */
export async function readManifest(folder: string): Promise<PackManifest | undefined> {
  const path = join(folder, fileName);
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  const manifest = manifestSchema.safeParse(parseJson(text, path));
  if (manifest.success) return manifest.data;
  const [issue] = manifest.error.issues;
  throw new InputError(
    `${path}: ${issue.path.join('.') || 'the file'} is not what refcap data pack writes (${issue.message}).`,
  );
}

export async function writeManifest(
  folder: string,
  about: Pick<PackManifest, 'format' | 'shardBytes' | 'dataset' | 'isWhole'>,
  shards: readonly PackedShard[],
): Promise<PackManifest> {
  const splits = Object.fromEntries(
    splitNames.map((split) => {
      const own = shards.filter((shard) => shard.split === split);
      const sum = (name: 'images' | 'captions' | 'bytes') =>
        own.reduce((total, shard) => total + shard[name], 0);
      const [images, captions, bytes] = [sum('images'), sum('captions'), sum('bytes')];
      return [split, { shards: own.length, images, captions, bytes }];
    }),
  );
  const manifest = manifestSchema.parse({ ...about, splits, shards });
  await writeFileAtomic(join(folder, fileName), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}
