/** Files that may be gzipped, read as what is in them. */
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { InputError } from './errors.ts';
import { errorCode } from './files.ts';

/** Bytes that are unpacked at a time. */
const pieceBytes = 1 << 20;

/**
 * The bytes, unpacked where they are gzip's, which their first two say.
 * @param name how messages call the file
 * @throws InputError where they end too early or are damaged, or where a file named .gz holds something else
 */
export async function* unpacked(
  name: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const source = chunks[Symbol.asyncIterator]();
  try {
    const { head, isAll } = await headOf(source);
    const all = (async function* () {
      if (head.length > 0) yield head;
      if (!isAll) yield* { [Symbol.asyncIterator]: () => source };
    })();
    if (head[0] === 0x1f && head[1] === 0x8b) yield* gunzipped(name, all);
    else if (head.length > 0 && extname(name).toLowerCase() === '.gz')
      throw new InputError(
        `${name}: this is not gzipped, though its name says so; name it without .gz, or get it anew.`,
      );
    else yield* all;
  } finally {
    await source.return?.();
  }
}

/** At least the first two bytes, where there are so many: a pipe may give them one by one. */
async function headOf(source: AsyncIterator<Buffer>): Promise<{ head: Buffer; isAll: boolean }> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 2) {
    const { value, done } = await source.next();
    if (done) return { head, isAll: true };
    head = Buffer.concat([head, value]);
  }
  return { head, isAll: false };
}

async function* gunzipped(name: string, packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { createGunzip } = await import('node:zlib');
  const source = Readable.from(packed);
  const unpacking = createGunzip({ chunkSize: pieceBytes });
  source.on('error', (error) => unpacking.destroy(error));
  // Its errors come out where its pieces are awaited; none may come after.
  unpacking.on('error', () => undefined);
  try {
    for await (const piece of source.pipe(unpacking)) yield piece;
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (code === 'Z_BUF_ERROR')
      throw new InputError(`${name}: the gzipped file ends too early; get it anew.`);
    if (code.startsWith('Z_'))
      throw new InputError(`${name}: the gzipped file is damaged; get it anew.`);
    throw error;
  } finally {
    source.destroy();
    unpacking.destroy();
  }
}
