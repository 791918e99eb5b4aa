/** CIDEr's document frequencies between corpus, file and workers. */
import { readFile } from 'node:fs/promises';
import { InputError } from '../base/errors.ts';
import { errorCode } from '../base/files.ts';
import {
  DocumentFrequencies,
  type DocumentFrequencyTable,
} from '../metrics/document-frequencies.ts';

/**
 * The table without n-grams of a single document, which weigh as much as unknown ones: most of a
 * corpus' n-grams need not travel to the workers.
 */
export function withoutSingles(table: DocumentFrequencyTable): DocumentFrequencyTable {
  const { documents, words, prefix, word, count } = table;
  const kept = new Int32Array(count.length + 1);
  const indices: number[] = [];
  // A prefix stands before what extends it: backwards, so that no kept n-gram loses its prefix.
  const needed = new Uint8Array(count.length + 1);
  for (let i = count.length - 1; i >= 0; i--) {
    if (count[i] > 1) needed[i + 1] = 1;
    if (needed[i + 1]) needed[prefix[i]] = 1;
  }
  for (let i = 0; i < count.length; i++) {
    if (needed[i + 1] === 0) continue;
    indices.push(i);
    kept[i + 1] = indices.length;
  }
  return {
    documents,
    words,
    prefix: Int32Array.from(indices, (i) => kept[prefix[i]]),
    word: Int32Array.from(indices, (i) => word[i]),
    count: Int32Array.from(indices, (i) => count[i]),
  };
}

/**
 * Reads document frequencies saved by `refcap score --save-document-frequencies`:
 * {"documents": N, "frequencies": {"a dog": 12, ...}}.
 * @throws InputError naming the file and the JSON path.
 */
export async function readFrequencies(path: string): Promise<DocumentFrequencies> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = errorCode(error) ?? String(error);
    throw new InputError(`${path}: cannot be read (${code}); check the path.`);
  }
  const wanted =
    'it should be written by refcap score --save-document-frequencies (a pickled file of another program cannot be read)';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(`${path}: this is not JSON; ${wanted}.`);
  }
  if (!isFile(value))
    throw new InputError(`${path}: $ lacks "documents" or "frequencies"; ${wanted}.`);
  try {
    return DocumentFrequencies.fromJSON(value);
  } catch (error) {
    if (error instanceof RangeError)
      throw new InputError(`${path}: $.${error.message}; ${wanted}.`);
    throw error;
  }
}

type FrequencyFile = Parameters<typeof DocumentFrequencies.fromJSON>[0];

function isFile(value: unknown): value is FrequencyFile {
  if (typeof value !== 'object' || value === null) return false;
  if (!('documents' in value) || !('frequencies' in value)) return false;
  const { frequencies } = value;
  return typeof frequencies === 'object' && frequencies !== null && !Array.isArray(frequencies);
}
