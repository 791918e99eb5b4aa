/** The shards of a streamed run: which are trained on, which are measured, and how many pictures an epoch has. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import type { SplitName } from '../../data/datasets/dataset.ts';
import { findShards, splitOfShard } from '../../data/datasets/shards.ts';
import { readShardCounts } from '../../data/pack/manifest.ts';
import { isRemote, shardName } from '../../data/shards/address.ts';
import type { TrainConfig } from '../config/config.ts';

export interface StreamShards {
  /** Addresses, in the order in which they are given. */
  readonly train: readonly string[];
  readonly dev: readonly string[];
  /** Shards that name no split, where others do. */
  readonly passedOver: readonly string[];
  /** Pictures of an epoch. */
  readonly epochImages: number;
  /** Captions of these, where manifests count both. */
  readonly captions?: number;
  /** Tells the training data apart: names with checksums of manifests, else with sizes. */
  readonly fingerprint: string;
}

/**
 * Finds a source's shards; reads none of them. Their splits are those of their manifest, names or folders; where none
 * tells a split, all are trained on.
 * @throws InputError when the source is no shards, has none of the train split, or nobody counts their pictures
 */
export async function findStream(
  data: string,
  stream: NonNullable<TrainConfig['stream']>,
): Promise<StreamShards> {
  const shards = await findShards(data);
  if (!shards)
    throw new InputError(
      `${data}: only shards are streamed (.tar, .zip, .parquet); pack it with refcap data pack, or train without stream.`,
    );
  const counts = await readShardCounts(shards);
  const splits = shards.map((shard) => counts.get(shard)?.split ?? splitOfShard(shard));
  const isSplit = splits.some((split) => split !== undefined);
  const of = (wanted: SplitName | undefined) => shards.filter((_, i) => splits[i] === wanted);
  const train = isSplit ? of('train') : shards;
  if (train.length === 0)
    throw new InputError(
      `${data}: none of ${plural(shards.length, 'shard')} is of the train split; name some train-000000.tar and so on, as refcap data pack does.`,
    );
  const known = train.flatMap((shard) => counts.get(shard) ?? []);
  const epochImages = stream.epochImages ?? imagesIn(known, train);
  const isCounted = stream.epochImages === null && known.length === train.length;
  const hash = createHash('sha256');
  for (const shard of train) {
    const version = counts.get(shard)?.sha256 ?? (await sizeOf(shard));
    hash.update(JSON.stringify([shardName(shard), version]));
  }
  return {
    train,
    dev: of('dev'),
    passedOver: isSplit ? of(undefined) : [],
    epochImages,
    ...(isCounted && { captions: known.reduce((sum, { captions }) => sum + captions, 0) }),
    fingerprint: hash.digest('hex'),
  };
}

/** @throws InputError when a shard is not counted */
function imagesIn(counts: readonly { readonly images: number }[], shards: readonly string[]) {
  const images = counts.reduce((sum, count) => sum + count.images, 0);
  if (counts.length === shards.length) return images;
  throw new InputError(
    `${shards[0]}: how many pictures an epoch has is not known, as no manifest.json of refcap data pack lies beside ${counts.length === 0 ? 'the shards' : 'all shards'}; give --set stream.epochImages=N.`,
  );
}

/** Bytes; null where it is not here, which is said when it is read. */
async function sizeOf(shard: string): Promise<number | null> {
  if (isRemote(shard)) return null;
  return stat(shard).then(
    ({ size }) => size,
    () => null,
  );
}
