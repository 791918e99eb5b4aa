/** What is to be captioned, one item at a time: files, folders, patterns, lists and addresses. */
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { glob, isDynamicPattern } from 'tinyglobby';
import { InputError } from '../../base/errors.ts';
import { imageExtensions } from '../../data/images/formats.ts';

/** One picture to caption, or an input that gives none. */
export type CaptionInput =
  | { readonly kind: 'file' | 'url'; readonly name: string }
  | { readonly kind: 'nothing'; readonly name: string; readonly error: InputError };

export interface InputOptions {
  /** Look into the folders of folders. Default false. */
  readonly recursive?: boolean;
  /** Take http(s) addresses. Default false. */
  readonly allowUrl?: boolean;
  /** Also take .svg files of folders. Default false. */
  readonly allowSvg?: boolean;
  /** What `-` reads: a path or address a line. Default: the standard input. */
  readonly stdin?: NodeJS.ReadableStream;
  /** Ends the waiting for lines of it; whoever reads on looks at the signal. */
  readonly signal?: AbortSignal;
}

/**
 * Lists the pictures that the inputs stand for, in the inputs' order; folders in the order of their
 * names. Only one folder's names are in memory at a time.
 */
export async function* listInputs(
  inputs: readonly string[],
  options: InputOptions = {},
): AsyncGenerator<CaptionInput> {
  for (const input of inputs) {
    if (input === '-') yield* fromList(options.stdin ?? process.stdin, options);
    else yield* fromOne(input, options);
  }
}

async function* fromList(
  stream: NodeJS.ReadableStream,
  options: InputOptions,
): AsyncGenerator<CaptionInput> {
  for await (const line of createInterface({
    input: stream,
    crlfDelay: Number.POSITIVE_INFINITY,
    ...(options.signal && { signal: options.signal }),
  })) {
    const name = line.trim();
    if (name !== '') yield* fromOne(name, options);
  }
}

async function* fromOne(name: string, options: InputOptions): AsyncGenerator<CaptionInput> {
  const nothing = (reason: string): CaptionInput => ({
    kind: 'nothing',
    name,
    error: new InputError(`${name}: ${reason}`),
  });
  if (/^https?:\/\//i.test(name)) {
    if (options.allowUrl) yield { kind: 'url', name };
    else yield nothing('addresses are fetched only with --allow-url.');
    return;
  }
  const found = await stat(name).catch(() => undefined);
  if (found?.isDirectory()) {
    let count = 0;
    for await (const input of filesBelow(name, options)) {
      count += 1;
      yield input;
    }
    if (count === 0)
      yield nothing(
        options.recursive
          ? 'there are no images in this folder or below.'
          : 'there are no images in this folder (--recursive looks below it).',
      );
    return;
  }
  if (found === undefined && isDynamicPattern(name)) {
    const files = await glob(name, { absolute: false, onlyFiles: true, expandDirectories: false });
    for (const file of files.sort()) yield { kind: 'file', name: file };
    if (files.length === 0) yield nothing('no file fits this pattern.');
    return;
  }
  // A file that is missing or broken is told when it is decoded.
  yield { kind: 'file', name };
}

/** Image files of a folder by name, hidden ones left out, folders in their place among the files. */
async function* filesBelow(folder: string, options: InputOptions): AsyncGenerator<CaptionInput> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) {
    const error = new InputError(`${folder}: the folder cannot be read.`);
    yield { kind: 'nothing', name: folder, error };
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (options.recursive) yield* filesBelow(path, options);
      continue;
    }
    const extension = extname(entry.name).toLowerCase();
    if (imageExtensions.has(extension) || (options.allowSvg && extension === '.svg'))
      yield { kind: 'file', name: path };
  }
}

/** How many pictures there are, or undefined where the standard input decides. */
export async function countInputs(
  inputs: readonly string[],
  options: InputOptions = {},
  isWanted: (input: CaptionInput) => boolean = () => true,
): Promise<number | undefined> {
  if (inputs.includes('-')) return undefined;
  let count = 0;
  for await (const input of listInputs(inputs, options))
    if (input.kind !== 'nothing' && isWanted(input)) count += 1;
  return count;
}
