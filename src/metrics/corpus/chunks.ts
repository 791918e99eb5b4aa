/** A corpus as tasks: chunks of images, their captions packed, with what the tokenizer has to know around them. */
import { CaptionStream } from './caption-stream.ts';
import type { ChunkTask } from './chunk-scorer.ts';
import type { Corpus } from './corpus.ts';
import { packBytes } from './packed-texts.ts';

/** Images a task. */
export const chunkSize = 128;

/** The images of `corpus` in their order, `chunkSize` a task. */
export function* chunksOf(corpus: Corpus): Generator<ChunkTask> {
  const { images, systems } = corpus;
  const references = new CaptionStream();
  const candidates = Array.from({ length: systems }, () => new CaptionStream());
  for (let start = 0; start < images; start += chunkSize) {
    const end = Math.min(start + chunkSize, images);
    const first = new Int32Array(end - start + 1);
    const texts: Uint8Array[] = [];
    for (let image = start; image < end; image++) {
      texts.push(...corpus.references(image));
      first[image - start + 1] = texts.length;
    }
    const written = candidates.map((_, system) =>
      Array.from({ length: end - start }, (_, i) => corpus.candidate(system, start + i)),
    );
    yield {
      references: packBytes(texts),
      first,
      candidates: written.map(packBytes),
      around: {
        references: references.next(texts, referencesFrom(corpus, end)),
        candidates: candidates.map((stream, system) =>
          stream.next(written[system], candidatesFrom(corpus, system, end)),
        ),
      },
    };
  }
}

function referencesFrom(corpus: Corpus, image: number): Iterable<Uint8Array> {
  return {
    *[Symbol.iterator]() {
      for (let at = image; at < corpus.images; at++) yield* corpus.references(at);
    },
  };
}

function candidatesFrom(corpus: Corpus, system: number, image: number): Iterable<Uint8Array> {
  return {
    *[Symbol.iterator]() {
      for (let at = image; at < corpus.images; at++) yield corpus.candidate(system, at);
    },
  };
}
