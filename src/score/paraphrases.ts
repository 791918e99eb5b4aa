/** METEOR's paraphrase tables from their files, and in memory that all worker threads share. */
import { createReadStream } from 'node:fs';
import { InputError } from '../base/errors.ts';
import { errorCode } from '../base/files.ts';
import { unpacked } from '../base/gzip.ts';
import { type ParaphraseTable, ParaphraseTableBuilder } from '../metrics/meteor/paraphrases.ts';

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

/**
 * Reads a METEOR paraphrase table (probability, phrase, paraphrase: three lines an entry), gzipped
 * or plain. It streams: METEOR's own English table has five million entries.
 * @throws InputError naming the file, and the line where it is wrong.
 */
export async function loadParaphraseTable(path: string): Promise<ParaphraseTable> {
  const builder = new ParaphraseTableBuilder();
  try {
    const file = createReadStream(path, { highWaterMark: 1 << 18 });
    const decoder = new TextDecoder('utf-8', { fatal: true });
    let rest = '';
    for await (const chunk of unpacked(path, file)) {
      const text = rest + decoder.decode(chunk, { stream: true });
      rest = text.slice(addLines(builder, text));
    }
    rest += decoder.decode();
    if (rest !== '') builder.add(rest);
    return builder.done();
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(`${path}: ${describe(error)}`);
  }
}

/** Adds all whole lines of a text; returns where the unfinished last one starts. */
function addLines(builder: ParaphraseTableBuilder, text: string): number {
  let start = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
    builder.add(text.slice(start, end));
    start = end + 1;
  }
  return start;
}

function describe(error: unknown): string {
  const code = errorCode(error) ?? '';
  if (code === 'ENOENT')
    return 'no such file; give the path of a METEOR paraphrase table, such as paraphrase-en.gz.';
  if (code === 'EACCES') return 'no permission to read it.';
  if (code === 'EISDIR') return 'this is a folder; give the file of a METEOR paraphrase table.';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return 'the text is not UTF-8; convert the table to UTF-8.';
  return error instanceof Error ? error.message : String(error);
}
