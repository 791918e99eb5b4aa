/** Where the words of two evaluated models' captions looked, for the page of `refcap compare`. */
import { InputError } from '../../base/errors.ts';
import type { Comparison } from '../../compare/compare.ts';
import { explain } from '../../explain/explain.ts';
import { veilAddress } from '../../explain/output/veil-address.ts';
import { describeWord } from '../../explain/output/words.ts';
import { modelFingerprint } from '../../model/checkpoint/fingerprint.ts';
import type { MappedCaptions, MappedWord } from '../../pages/compare/page.ts';
import { loadCaptioner } from '../options/captioner.ts';
import { hubOptions } from '../options/hub.ts';

/**
 * Explains the captions of one of the two runs by the model that wrote them.
 * @param pathOf where a picture is now
 * @param onDone after each picture
 * @param onFault a picture or caption that cannot be explained, in a sentence
 * @throws InputError where the model is gone or another one
 */
export async function mapsOfRun(
  { runs, images }: Comparison,
  which: 0 | 1,
  pathOf: (image: Comparison['images'][number]) => string,
  tell: { onDone(): void; onFault(sentence: string): void },
  signal: AbortSignal,
): Promise<MappedCaptions> {
  const { folder, results } = runs[which];
  const { name, fingerprint } = results.model;
  using captioner = await loadCaptioner({ model: name }, signal);
  if ((await modelFingerprint(name, { hub: hubOptions({}, signal) })) !== fingerprint)
    throw new InputError(
      `${folder}: ${name} is another model now than the one that was evaluated; evaluate it again, or leave out --maps.`,
    );
  const all: (readonly MappedWord[] | undefined)[] = [];
  for (const image of images) {
    signal.throwIfAborted();
    const { file, captions } = image;
    try {
      const explained = await explain(captioner, pathOf(image), {
        ...{ caption: captions[which], signal },
        generation: { decode: { name: file } },
      });
      const words = explained.words.map(async (word) => ({
        text: word.text,
        about: describeWord(word),
        veil: await veilAddress(word.map, explained.side),
      }));
      all.push(await Promise.all(words));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      tell.onFault(error.message);
      all.push(undefined);
    }
    tell.onDone();
  }
  return all;
}
