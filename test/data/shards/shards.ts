/** Shards that other programs write: GNU tar, fflate's zips, hyparquet-writer's tables. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { zipSync } from 'fflate';
import { parquetWriteBuffer, type SchemaElement } from 'hyparquet-writer';
import sharp from 'sharp';
import { afterAll } from 'vitest';
import type { ShardItem } from '../../../src/data/shards/shard.ts';

const scratch = mkdtempSync(join(tmpdir(), 'refcap-shards-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A folder that the test removes at its end. */
export function newFolder(): string {
  return mkdtempSync(join(scratch, 'set-'));
}

/** A tar of the files in their order. @param options of GNU tar, such as --format=pax */
export function tarOf(path: string, files: Files, ...options: readonly string[]): string {
  const folder = newFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  mkdirSync(dirname(path), { recursive: true });
  execFileSync('tar', ['-cf', path, '-C', folder, ...options, '--', ...Object.keys(files)]);
  return path;
}

export function zipOf(path: string, files: Files): string {
  const entries = Object.entries(files).map(([name, content]) => [name, Buffer.from(content)]);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, zipSync(Object.fromEntries(entries)));
  return path;
}

export interface Picture {
  readonly bytes: Uint8Array | null;
  readonly path: string | null;
}

/** A table as Hugging Face's datasets write it: image {bytes, path}, and columns of texts or of lists of texts. */
export function parquetOf(
  path: string,
  pictures: readonly Picture[],
  texts: Readonly<Record<string, readonly (string | null)[] | readonly (readonly string[])[]>>,
  rowGroupSize = 2,
): string {
  const columns = Object.entries(texts);
  const plain = (name: string): SchemaElement => ({
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    repetition_type: 'OPTIONAL',
  });
  const schemaOf = (name: string, data: readonly unknown[]): SchemaElement[] =>
    Array.isArray(data[0])
      ? [
          { name, num_children: 1, repetition_type: 'OPTIONAL', converted_type: 'LIST' },
          { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
          plain('element'),
        ]
      : [plain(name)];
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'image', data: [...pictures] },
      ...columns.map(([name, data]) => ({ name, data: [...data] })),
    ],
    schema: [
      { name: 'root', num_children: 1 + columns.length },
      { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
      { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
      plain('path'),
      ...columns.flatMap(([name, data]) => schemaOf(name, data)),
    ],
    rowGroupSize,
  });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.from(buffer));
  return path;
}

/** A JPEG of one colour, different for each number. */
export async function jpeg(number: number): Promise<Buffer> {
  const background = { r: (40 * number) % 256, g: (70 * number) % 256, b: 90 };
  return sharp({ create: { width: 24, height: 16, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

/** What a shard gives, in few words: samples as [key, captions], faults as their sentences. */
export async function itemsOf(
  items: AsyncIterable<ShardItem>,
): Promise<(readonly [string, ...string[]] | string)[]> {
  const found: (readonly [string, ...string[]] | string)[] = [];
  for await (const item of items)
    found.push(item.kind === 'sample' ? [item.key, ...item.captions] : item.error.message);
  return found;
}
