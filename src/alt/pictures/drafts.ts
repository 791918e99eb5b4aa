/** Captions a site's pictures, each content once, and those that were captioned before not at all. */
import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';
import type { Captioner } from '../../caption/captioner.ts';
import type { CaptionOptions } from '../../caption/options.ts';
import type { CaptionRow } from '../../caption/output/formats.ts';
import { captionRun } from '../../caption/run.ts';
import type { CaptionInput } from '../../caption/sources/inputs.ts';
import { confidenceOf } from '../../confidence/shown.ts';
import { type Draft, type DraftCache, hashFile } from './cache.ts';

/** By file: its draft, or why it has none. */
export type Drafts = ReadonlyMap<string, Draft | InputError>;

export interface DraftOptions {
  readonly cache: DraftCache;
  /** Opens the model when it is known that so many pictures need it; closed here. */
  open(pictures: number): Promise<Captioner>;
  readonly caption: CaptionOptions;
  readonly batchSize: number;
  readonly signal?: AbortSignal;
  /** Told of each picture that is captioned or fails. */
  readonly onDone?: () => void;
}

/**
 * The draft of each picture, or why it has none. What is captioned is in the cache at once, a batch at a time.
 * @throws InputError when the model or the cache cannot be used; the signal's reason when aborted
 */
export async function draftCaptions(
  paths: Iterable<string>,
  options: DraftOptions,
): Promise<Drafts> {
  const { cache, signal } = options;
  const hashes = new Map<string, string | InputError>();
  const missing = new Map<string, string>();
  for (const path of paths) {
    signal?.throwIfAborted();
    const hash = await hashOf(path);
    hashes.set(path, hash);
    if (typeof hash === 'string' && !cache.get(hash)) missing.set(hash, path);
  }
  const failures = missing.size > 0 ? await captionMissing(missing, options) : new Map();
  return new Map([...hashes].map(([path, hash]) => [path, draftOf(path, hash, cache, failures)]));
}

async function hashOf(path: string): Promise<string | InputError> {
  try {
    return await hashFile(path);
  } catch (error) {
    return new InputError(`${path}: cannot be read (${errorCode(error) ?? String(error)}).`);
  }
}

function draftOf(
  path: string,
  hash: string | InputError,
  cache: DraftCache,
  failures: ReadonlyMap<string, InputError>,
): Draft | InputError {
  if (hash instanceof InputError) return hash;
  return cache.get(hash) ?? failures.get(hash) ?? new InputError(`${path}: has no caption.`);
}

/** @param missing a file for each hash; @returns the errors by hash */
async function captionMissing(
  missing: ReadonlyMap<string, string>,
  { cache, open, caption, batchSize, signal, onDone }: DraftOptions,
): Promise<Map<string, InputError>> {
  const hashByPath = new Map([...missing].map(([hash, path]) => [path, hash]));
  const failures = new Map<string, InputError>();
  using captioner = await open(missing.size);
  captioner.check(caption);
  const write = async (rows: readonly CaptionRow[]): Promise<void> => {
    const drafts = new Map<string, Draft>();
    for (const { file, caption: text, captions } of rows) {
      const hash = hashByPath.get(file);
      const confidence = confidenceOf(captions[0]);
      if (hash !== undefined) drafts.set(hash, { caption: text, confidence });
    }
    await cache.add(drafts);
  };
  const sink = { has: async () => false, write, finish: async () => undefined };
  await captionRun(captioner, inputsOf(missing.values()), sink, {
    options: caption,
    batchSize,
    failFast: false,
    ...(signal && { signal }),
    onDone: (outcome) => {
      const hash = hashByPath.get(outcome.name);
      if (outcome.kind === 'failed' && hash !== undefined) failures.set(hash, outcome.error);
      onDone?.();
    },
  });
  return failures;
}

async function* inputsOf(paths: Iterable<string>): AsyncGenerator<CaptionInput> {
  for (const name of paths) yield { kind: 'file', name };
}
