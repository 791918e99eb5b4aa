/** Lists of inputs: a path or address a line, as editors and `find` write them. */
import { Readable } from 'node:stream';

/**
 * The lines of a list without their ends; empty ones are left out. Where a zero byte comes before a line's end,
 * zero bytes end the names (`find -print0`), which may then hold anything.
 * @param signal ends the waiting
 */
export async function* readList(
  stream: NodeJS.ReadableStream,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  let ending: RegExp | undefined;
  let rest = '';
  let isFirst = true;
  const decoder = new TextDecoder();
  for await (const chunk of untilAborted(stream, signal)) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    // A mark at the beginning belongs to no name; TextDecoder takes it away from bytes.
    if (isFirst) rest = rest.replace(/^\ufeff/, '');
    isFirst = false;
    const first = /[\0\r\n]/.exec(rest)?.[0];
    if (first !== undefined) ending ??= first === '\0' ? /\0/ : /\r\n|\n|\r(?!$)/;
    if (ending === undefined) continue;
    const lines = rest.split(ending);
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  rest = (rest + decoder.decode()).replace(/\r$/, '');
  if (rest.trim() !== '' && !signal?.aborted) yield rest;
}

/** What the stream gives until the signal, which ends it without an error. */
async function* untilAborted(
  stream: NodeJS.ReadableStream,
  signal: AbortSignal | undefined,
): AsyncGenerator<string | Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]();
  const aborted = new Promise<undefined>((resolve) => {
    if (signal?.aborted) resolve(undefined);
    signal?.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), aborted]);
      if (next === undefined || next.done) return;
      yield next.value;
    }
  } finally {
    // An open standard input would keep the process; its reading may be pending, so that it cannot be returned.
    if (stream instanceof Readable) stream.destroy();
  }
}
