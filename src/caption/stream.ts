/** The words of a caption as they become whole, while it is written. */
import type { TextTokenizer } from '../data/text/tokenizer.ts';
import type { GenerationContext } from '../generation/context.ts';
import { type ImageCaption, type Word, WordCollector } from './result.ts';

/**
 * Yields each word of the best caption as soon as it is whole, and returns what `write` gives. Leaving the
 * generator aborts the signal that `write` is given.
 * @param write writes one image's captions, with words, telling of each id
 */
export async function* wordStream(
  tokenizer: TextTokenizer,
  outer: AbortSignal | undefined,
  write: (
    signal: AbortSignal,
    onId: NonNullable<GenerationContext['onId']>,
  ) => Promise<ImageCaption>,
): AsyncGenerator<Word, ImageCaption> {
  const collector = new WordCollector(tokenizer);
  const words: Word[] = [];
  let given = 0;
  let wake = (): void => undefined;
  const stop = new AbortController();
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal;
  let result: ImageCaption | undefined;
  const work = write(signal, (_, candidate, id, logprob) => {
    const word = candidate === 0 ? collector.push(id, logprob) : undefined;
    if (word) words.push(word);
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
