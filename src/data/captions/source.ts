/** Caption files as text: pieces of strictly valid UTF-8, gzipped or not, and lines. */
import { createReadStream } from 'node:fs';
import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';
import { unpacked } from '../../base/gzip.ts';
import { refuseOtherKinds } from './kinds.ts';

/** A file's text, read once from the start in pieces; the first piece is there before the rest is read. */
export interface TextSource {
  /** How messages call the file. */
  name: string;
  /** The first piece (up to 1 MiB), for recognising the format. */
  head: string;
  /** True when `head` is the whole file. */
  whole: boolean;
  /** All pieces, the head first. Can be run through once. */
  pieces: AsyncIterable<string>;
}

/**
 * Opens a caption file (`-` is the standard input), which may be gzipped. A byte order mark is dropped.
 * @throws InputError when the file is missing, a folder, empty, of another kind, UTF-16, not UTF-8
 *   (then with the line and the byte), or gzipped and damaged.
 */
export async function openText(path: string): Promise<TextSource> {
  const name = path === '-' ? 'the standard input' : path;
  const pieces = decode(name, unpacked(name, readBytes(path)));
  const first = await pieces.next();
  const second = first.done ? first : await pieces.next();
  const head = first.done ? '' : first.value;
  if (head.trim() === '' && second.done)
    throw new InputError(`${name}: the file is empty; it should hold captions.`);
  return {
    name,
    head,
    whole: second.done === true,
    pieces: (async function* () {
      yield head;
      if (!second.done) {
        yield second.value;
        yield* pieces;
      }
    })(),
  };
}

async function* readBytes(path: string): AsyncGenerator<Buffer> {
  const stream = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new InputError(`${path}: no such file; check the path.`);
    if (code === 'EISDIR')
      throw new InputError(`${path}: this is a folder; name the caption file in it.`);
    if (code === 'EACCES' || code === 'EPERM')
      throw new InputError(`${path}: no permission to read it; change the file's permissions.`);
    throw error;
  }
}

async function* decode(name: string, chunks: AsyncGenerator<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest: Buffer = Buffer.alloc(0);
  let consumed = 0;
  let lines = 0;
  const decodeStrictly = (bytes: Buffer): string => {
    try {
      return decoder.decode(bytes);
    } catch {
      const at = firstInvalid(bytes);
      const line = lines + countNewlines(bytes.subarray(0, at)) + 1;
      const hex = bytes[at].toString(16).padStart(2, '0');
      throw new InputError(
        `${name}: line ${line}, byte ${consumed + at + 1} of the file: 0x${hex} is not valid UTF-8; convert the file, for example with iconv -f latin1 -t utf-8.`,
      );
    }
  };
  for await (const chunk of chunks) {
    let bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    if (consumed === 0) {
      refuseOtherKinds(name, bytes);
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
        bytes = bytes.subarray(3);
        consumed = 3;
      }
    }
    const end = bytes.length - unfinished(bytes);
    rest = Buffer.from(bytes.subarray(end));
    bytes = bytes.subarray(0, end);
    const text = decodeStrictly(bytes);
    consumed += bytes.length;
    lines += countNewlines(bytes);
    if (text !== '') yield text;
  }
  if (rest.length > 0) decodeStrictly(rest);
}

/** How many bytes at the end begin a character that the next chunk finishes. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
  }
  return 0;
}

/** Offset of the first byte that cannot stand in UTF-8, by bisection over prefixes. */
function firstInvalid(bytes: Buffer): number {
  const valid = (length: number, stream: boolean): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream });
      return true;
    } catch {
      return false;
    }
  };
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (valid(middle, true)) good = middle;
    else bad = middle;
  }
  // The character in which the fault shows may begin up to three bytes before.
  while (!valid(good, false)) good--;
  return good;
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}

/** Whether lines end in a carriage return alone, as on old Macs: most line ends do. */
export function partedByReturns(head: string): boolean {
  const returns = head.match(/\r(?!\n)/g)?.length ?? 0;
  return returns > 0 && returns >= (head.match(/\n/g)?.length ?? 0);
}

/** What ends the lines of a text that begins with `head`; a stray carriage return does not. */
export function lineEnds(head: string): RegExp {
  return partedByReturns(head) ? /\r\n|\n|\r/ : /\r\n|\n/;
}

/** Calls `line` for each line of `source` (ended by \n, \r\n or, on old Macs, \r), numbered from 1. */
export async function forEachLine(
  source: TextSource,
  line: (text: string, number: number) => void,
): Promise<void> {
  const returns = partedByReturns(source.head);
  let rest = '';
  let number = 0;
  for await (const piece of source.pieces) {
    const text = rest + piece;
    let start = 0;
    for (let end = nextEnd(text, 0, returns); end >= 0; end = nextEnd(text, start, returns)) {
      line(text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end), ++number);
      start = end + 1;
    }
    rest = text.slice(start);
  }
  if (rest !== '') line(rest.endsWith('\r') ? rest.slice(0, -1) : rest, ++number);
}

/** Where the line from `start` on ends: at its \n, or at a \r that none follows. */
function nextEnd(text: string, start: number, returns: boolean): number {
  if (!returns) return text.indexOf('\n', start);
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\n') return at;
    // The last character's \n may be in the next piece.
    if (text[at] === '\r' && at + 1 < text.length && text[at + 1] !== '\n') return at;
  }
  return -1;
}
