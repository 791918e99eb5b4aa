/** CIDEr's document frequencies from a file. */
import { readFile } from 'node:fs/promises';
import { InputError } from '../base/errors.ts';
import { errorCode } from '../base/files.ts';
import { DocumentFrequencies } from '../metrics/document-frequencies.ts';

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
