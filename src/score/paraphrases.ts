/** METEOR's paraphrase table in memory that all worker threads share. */

import type { ParaphraseTable } from '../metrics/meteor/paraphrases.ts';
import { loadParaphraseTable } from './meteor-data.ts';

/**
 * Reads a table such as METEOR's paraphrase-en.gz into shared memory: workers need no copies.
 * @throws InputError naming the file and the line.
 */
export async function readParaphrases(path: string): Promise<ParaphraseTable> {
  const table = await loadParaphraseTable(path);
  const share = (array: Int32Array): Int32Array => {
    const copy = new Int32Array(new SharedArrayBuffer(array.byteLength));
    copy.set(array);
    return copy;
  };
  return {
    ...table,
    phraseWords: share(table.phraseWords),
    starts: share(table.starts),
    slots: share(table.slots),
    first: share(table.first),
    following: share(table.following),
    paraphrase: share(table.paraphrase),
  };
}
