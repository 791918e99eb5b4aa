/** Folders of datasets whose images are only listed, never opened. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { afterAll } from 'vitest';
import { type DatasetOptions, readDataset } from '../../src/data/index.ts';

const scratch = mkdtempSync(join(tmpdir(), 'refcap-datasets-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A folder with these files. */
export function folderOf(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(scratch, 'set-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export const images = (...names: string[]): Record<string, string | Uint8Array> =>
  Object.fromEntries(names.map((name) => [name, '']));

/** Each image's file with its captions, files below the dataset's folder in the order of their names. */
export async function pairsOf(path: string, options?: DatasetOptions): Promise<string[][]> {
  const { images: found } = await readDataset(path, options);
  const root = basename(path).includes('.') ? dirname(path) : path;
  return found.map((image) => [relative(root, image.path), ...image.captions]).sort();
}
