/** Reads an image's file, or an image in a shard, within a limit. */
import { readFile, stat } from 'node:fs/promises';
import { InputError } from '../../base/errors.ts';
import { parseAddress } from '../shards/address.ts';
import { readShardPicture } from '../shards/picture.ts';

/**
 * The bytes of a picture that is given by its path, by its address in a shard, or as bytes.
 * @param name how messages name it
 * @throws InputError when it is missing, empty, no file or larger than `maxBytes`
 */
export async function readBytes(
  source: string | Uint8Array,
  name: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const bytes = typeof source === 'string' ? await readImageFile(source, name, maxBytes) : source;
  if (bytes.length > maxBytes) throw tooManyBytes(name, bytes.length, maxBytes);
  if (bytes.length === 0) throw new InputError(`${name}: the file is empty.`);
  return bytes;
}

async function readImageFile(path: string, name: string, maxBytes: number): Promise<Uint8Array> {
  const address = parseAddress(path);
  if (address) return readShardPicture(address);
  try {
    // Looked at before it is opened: opening a pipe would wait for its other end.
    const about = await stat(path);
    if (about.isDirectory()) throw new InputError(`${name}: this is a folder, not an image.`);
    if (!about.isFile()) throw new InputError(`${name}: this is not a regular file.`);
    if (about.size > maxBytes) throw tooManyBytes(name, about.size, maxBytes);
    return await readFile(path);
  } catch (error) {
    if (error instanceof InputError || !(error instanceof Error) || !('code' in error)) throw error;
    const missing = path.includes('\ufffd')
      ? 'there is no such file, or its name is not valid UTF-8; rename it'
      : 'there is no such file';
    const reasons: Record<string, string> = {
      ENOENT: missing,
      ENOTDIR: 'there is no such file',
      EACCES: 'no permission to read it',
      EISDIR: 'this is a folder, not an image',
    };
    throw new InputError(`${name}: ${reasons[String(error.code)] ?? error.message}.`);
  }
}

function tooManyBytes(name: string, size: number, limit: number): InputError {
  return new InputError(
    `${name}: ${size.toLocaleString('en')} bytes are more than the limit of ${limit.toLocaleString('en')}.`,
  );
}
