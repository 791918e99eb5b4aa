/** What is to be captioned, one item at a time: files, folders, patterns, lists, shards and addresses. */
import { stat } from 'node:fs/promises';
import { InputError } from '../../base/errors.ts';
import { isThere } from '../../base/files.ts';
import { isRemote, isShardName } from '../../data/shards/address.ts';
import { picturesBelow } from './folders.ts';
import type { CaptionInput, InputOptions } from './input.ts';

export type { CaptionInput, InputOptions } from './input.ts';

import { readList } from './list.ts';

/**
 * Lists the pictures that the inputs stand for, in the inputs' order; folders in the order of their
 * names. Only one folder's names are in memory at a time.
 */
export async function* listInputs(
  inputs: readonly string[],
  options: InputOptions = {},
): AsyncGenerator<CaptionInput> {
  for (const input of inputs) {
    if (input !== '-') yield* fromOne(input, options);
    else
      for await (const line of readList(options.stdin ?? process.stdin, options.signal))
        yield* fromOne(line, options);
  }
}

function nothing(name: string, reason: string): CaptionInput {
  return { kind: 'nothing', name, error: new InputError(`${name}: ${reason}`) };
}

async function* fromOne(input: string, options: InputOptions): AsyncGenerator<CaptionInput> {
  const name = (await isThere(input)) ? input : input.trim();
  if (isShardName(name) && isRemote(name)) {
    yield nothing(name, 'shards in stores are captioned with --shards.');
    return;
  }
  if (/^https?:\/\//i.test(name)) {
    if (options.allowUrl) yield { kind: 'url', name };
    else yield nothing(name, 'addresses are fetched only with --allow-url.');
    return;
  }
  const found = await find(name);
  if (found?.isFolder) {
    yield* fromFolder(name, found.path, options);
    return;
  }
  if (isShardName(name)) {
    const { picturesInShards } = await import('./shards.ts');
    yield* picturesInShards(found?.path ?? name, options.columns);
    return;
  }
  const files = found === undefined ? await filesOfPattern(name) : undefined;
  if (files) {
    for (const file of files) yield { kind: 'file', name: file };
    if (files.length === 0) yield nothing(name, 'no file fits this pattern.');
    return;
  }
  // A file that is missing or broken is told when it is decoded.
  if (found === undefined || found.path === name) yield { kind: 'file', name };
  else yield { kind: 'file', name, path: found.path };
}

/** The files that fit a pattern; undefined for a name that is none. */
async function filesOfPattern(name: string): Promise<string[] | undefined> {
  const { glob, isDynamicPattern } = await import('tinyglobby');
  if (!isDynamicPattern(name)) return undefined;
  return (await glob(name, { absolute: false, onlyFiles: true, expandDirectories: false })).sort();
}

/** The file or folder of a name, which may write accents as one code point where the disk has two, or the reverse. */
async function find(name: string): Promise<{ path: string; isFolder: boolean } | undefined> {
  for (const path of new Set([name, name.normalize('NFC'), name.normalize('NFD')])) {
    const found = await stat(path).catch(() => undefined);
    if (found) return { path, isFolder: found.isDirectory() };
  }
  return undefined;
}

async function* fromFolder(
  name: string,
  folder: string,
  options: InputOptions,
): AsyncGenerator<CaptionInput> {
  let count = 0;
  let passedOver = 0;
  for await (const input of picturesBelow(folder, options)) {
    if (input.kind === 'passed over') passedOver += 1;
    else count += 1;
    yield input;
  }
  if (count > 0) return;
  const what = passedOver > 0 ? 'images of a kind that is read' : 'images';
  yield nothing(
    name,
    options.recursive
      ? `there are no ${what} in this folder or below.`
      : `there are no ${what} in this folder (--recursive looks below it).`,
  );
}

/** How many pictures there are, or undefined where the standard input or shards decide. */
export async function countInputs(
  inputs: readonly string[],
  options: InputOptions = {},
): Promise<number | undefined> {
  if (inputs.some((input) => input === '-' || isShardName(input))) return undefined;
  let count = 0;
  for await (const { kind } of listInputs(inputs, options))
    if (kind === 'file' || kind === 'url') count += 1;
  return count;
}
