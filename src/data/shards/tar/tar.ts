/** WebDataset's shards: tars in which the files of a sample follow each other. */
import { open } from 'node:fs/promises';
import { InputError } from '../../../base/errors.ts';
import { formatAddress, keyOf } from '../address.ts';
import { type ArchiveFile, isAside, samplesOfGroup } from '../group.ts';
import type { OpenShard, ShardItem } from '../shard.ts';
import { scanTar, type TarFile } from './scan.ts';

/** Opens a tar. Only the headers are read until a sample is. @param shard what addresses call it */
export async function openTar(path: string, shard: string): Promise<OpenShard> {
  let index: Promise<Map<string, TarFile>> | undefined;
  return {
    samples: (options) => samplesOfTar(path, shard, options?.columns),
    async read(member) {
      index ??= indexOf(path);
      const file = (await index).get(member);
      if (file) return readFile(path, shard, file);
      const address = formatAddress({ kind: 'tar', member, shard });
      throw new InputError(`${address}: there is no such file in the shard.`);
    },
  };
}

async function* samplesOfTar(
  path: string,
  shard: string,
  columns: Parameters<typeof samplesOfGroup>[3],
): AsyncGenerator<ShardItem> {
  const archive = { kind: 'tar', shard } as const;
  let key = '';
  let group: ArchiveFile[] = [];
  try {
    for await (const file of scanTar(path, shard)) {
      if (isAside(file.name)) continue;
      const own = keyOf(file.name);
      if (own !== key) {
        yield* samplesOfGroup(key, group, archive, columns);
        [key, group] = [own, []];
      }
      group.push({ name: file.name, read: () => readFile(path, shard, file) });
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    yield* samplesOfGroup(key, group, archive, columns);
    yield { kind: 'damage', address: shard, error };
    return;
  }
  yield* samplesOfGroup(key, group, archive, columns);
}

/** Of a tar that is cut off, its whole files. */
async function indexOf(path: string): Promise<Map<string, TarFile>> {
  const files = new Map<string, TarFile>();
  try {
    for await (const file of scanTar(path)) if (!files.has(file.name)) files.set(file.name, file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
  return files;
}

async function readFile(
  path: string,
  shard: string,
  { name, offset, size }: TarFile,
): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, offset);
    if (bytesRead === size) return bytes;
  } finally {
    await file.close();
  }
  const address = formatAddress({ kind: 'tar', member: name, shard });
  throw new InputError(`${address}: the shard became shorter while it was read.`);
}
