/** What a pack holds, in manifest.json: written shard by shard, so that a stopped run goes on. */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { readTextIfThere, writeFileAtomic } from '../../base/files.ts';
import { parseJson } from '../../base/json.ts';
import { type DatasetImage, splitNames } from '../datasets/dataset.ts';
import { isRemote, shardKind, shardName } from '../shards/address.ts';
import { storeRequest } from '../shards/store/requests.ts';
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
  return text === undefined ? undefined : parseManifest(text, path);
}

/**
 * What manifests that lie beside shards say of them, by their addresses; in stores too. What is no manifest of a pack
 * says nothing.
 * @throws InputError naming a store that fails
 */
export async function readShardCounts(
  shards: readonly string[],
): Promise<ReadonlyMap<string, PackedShard>> {
  const found = new Map<string, PackedShard>();
  const folders = new Map<string, ReadonlyMap<string, PackedShard>>();
  for (const shard of shards) {
    const folder = isRemote(shard) ? new URL('.', shard).href : dirname(shard);
    let names = folders.get(folder);
    if (!names) {
      const manifest = await manifestBeside(shard, folder);
      names = new Map(manifest?.shards.map((one) => [one.name, one]));
      folders.set(folder, names);
    }
    const packed = names.get(`${shardName(shard)}.${shardKind(shard)}`);
    if (packed) found.set(shard, packed);
  }
  return found;
}

async function manifestBeside(shard: string, folder: string): Promise<PackManifest | undefined> {
  try {
    if (!isRemote(shard)) return await readManifest(folder);
    const address = new URL(fileName, shard).href;
    // A store that does not list its objects refuses what is not there.
    const response = await storeRequest(address, { method: 'GET' }, {}, [403, 404]);
    return response.ok ? parseManifest(await response.text(), address) : undefined;
  } catch (error) {
    if (error instanceof ManifestError) return undefined;
    throw error;
  }
}

/** The file is another program's, or damaged. */
class ManifestError extends InputError {}

function parseManifest(text: string, path: string): PackManifest {
  let value: unknown;
  try {
    value = parseJson(text, path);
  } catch (error) {
    throw error instanceof InputError ? new ManifestError(error.message) : error;
  }
  const manifest = manifestSchema.safeParse(value);
  if (manifest.success) return manifest.data;
  const [issue] = manifest.error.issues;
  throw new ManifestError(
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
