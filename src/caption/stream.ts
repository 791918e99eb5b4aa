/** The words of a caption as they become whole, while it is written. */
import type { ImageCaption, Word } from './result.ts';

/**
 * Yields each word of the best caption as soon as it is whole, and returns what `write` gives. Leaving the
 * generator aborts the signal that `write` is given.
 * @param write writes one image's captions, with words, telling of each word that is known to be whole before the end
 */
export async function* wordStream(
  outer: AbortSignal | undefined,
  write: (signal: AbortSignal, onWord: (word: Word) => void) => Promise<ImageCaption>,
): AsyncGenerator<Word, ImageCaption> {
  const words: Word[] = [];
  let given = 0;
  let wake = (): void => undefined;
  const stop = new AbortController();
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal;
  let result: ImageCaption | undefined;
  const work = write(signal, (word) => {
    words.push(word);
    wake();
  }).then((done) => {
    // What is left: the last word, or with beams all of them.
    words.push(...(done.captions[0].words ?? []).slice(words.length));
    result = done;
  });
  const ended = work.then(wake, wake);
  try {
    for (;;) {
      while (given < words.length) yield words[given++];
      if (result) return result;
      const next = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([next, work]);
    }
  } finally {
    stop.abort();
    await ended;
  }
}
