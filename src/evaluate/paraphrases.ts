/** METEOR's paraphrase table from a file, in memory that all worker threads share. */
import { InputError } from '../base/errors.ts';
import { type ParaphraseTable, ParaphraseTableBuilder } from '../metrics/meteor-paraphrases.ts';

/**
 * Reads a table such as METEOR's paraphrase-en.gz, packed or not, line by line.
 * @throws InputError naming the file and the line.
 */
export async function readParaphrases(path: string): Promise<ParaphraseTable> {
  const { createReadStream } = await import('node:fs');
  const { createGunzip } = await import('node:zlib');
  const { pipeline } = await import('node:stream/promises');
  const builder = new ParaphraseTableBuilder();
  const readLines = async (input: AsyncIterable<Buffer>): Promise<void> => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const bytes of input) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) builder.add(line);
    }
    if (rest !== '') builder.add(rest);
  };
  try {
    if (path.endsWith('.gz')) await pipeline(createReadStream(path), createGunzip(), readLines);
    else await pipeline(createReadStream(path), readLines);
    return shared(builder.done());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      `${path}: cannot be read as METEOR's paraphrase table (${reason}); give METEOR 1.5's paraphrase-en.gz.`,
    );
  }
}

/** The table with its arrays in shared memory, so that workers need no copies. */
function shared(table: ParaphraseTable): ParaphraseTable {
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
