/** Addresses of pictures in shards, chained as fsspec and Hugging Face write them: `tar://000.jpg::shards/0.tar`. */
import { resolve } from 'node:path';

export const shardKinds = ['tar', 'zip', 'parquet'] as const;
/** How a shard keeps its pictures. */
export type ShardKind = (typeof shardKinds)[number];

/** A picture in a shard. */
export interface ShardAddress {
  readonly kind: ShardKind;
  /** Its name in a tar or zip, its row (from 0) in a Parquet table. */
  readonly member: string;
  /** The shard's path or address. */
  readonly shard: string;
}

/** The address as text. */
export function formatAddress({ kind, member, shard }: ShardAddress): string {
  return `${kind}://${member}::${shard}`;
}

/** The parts of an address; undefined of what is none, such as a path. */
export function parseAddress(text: string): ShardAddress | undefined {
  const [, word, member, shard] = /^(\w+):\/\/(.+?)::(.+)$/s.exec(text) ?? [];
  const kind = shardKinds.find((name) => name === word);
  return kind === undefined || member === undefined || shard === undefined
    ? undefined
    : { kind, member, shard };
}

/** The same with the absolute path of the file or, of a picture in a shard, of that. */
export function absoluteAddress(path: string): string {
  const address = parseAddress(path);
  if (!address) return resolve(path);
  return isRemote(address.shard)
    ? path
    : formatAddress({ ...address, shard: resolve(address.shard) });
}

const endings: Readonly<Record<ShardKind, string>> = {
  tar: '.tar',
  zip: '.zip',
  parquet: '.parquet',
};

/** Addresses that are signed have a query behind the name. */
function withoutQuery(name: string): string {
  return /^https?:/i.test(name) ? name.replace(/[?#].*$/s, '') : name;
}

/** Whether an address is that of an object in a store. */
export function isRemote(address: string): boolean {
  return /^(?:https?|s3):\/\//i.test(address);
}

/** Whether a name is that of shards. */
export function isShardName(name: string): boolean {
  return shardKind(name) !== undefined;
}

/** What a shard's name says that it is; undefined: no shard. */
export function shardKind(name: string): ShardKind | undefined {
  const lower = withoutQuery(name).toLowerCase();
  return shardKinds.find((kind) => lower.endsWith(endings[kind]));
}

/**
 * A member's key, which its picture and texts share: its path up to the first dot of the file's name, as WebDataset
 * has it.
 */
export function keyOf(member: string): string {
  const name = member.lastIndexOf('/') + 1;
  const dot = member.indexOf('.', name);
  return dot < 0 ? member : member.slice(0, dot);
}

/** A shard's own name, without folders and ending. */
export function shardName(shard: string): string {
  return withoutQuery(shard)
    .replace(/^.*[/\\]/s, '')
    .replace(/\.(?:tar|zip|parquet)$/i, '');
}
