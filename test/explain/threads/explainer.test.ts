/** Explanations in threads: the same as in the caller's thread, stopped and ended as captions are. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Captioner } from '../../../src/caption/captioner.ts';
import { explain } from '../../../src/explain/explain.ts';
import { tiny } from '../../caption/models.ts';

const owl = join(tiny, 'images/owl-1.png');

describe('a captioner with workers', () => {
  it('is explained outside of the calling thread, to the same numbers', async () => {
    using here = await Captioner.load(tiny, { threads: 1 });
    using there = await Captioner.load(tiny, { threads: 1, workers: 1 });
    const caption = 'a brown owl stares';
    for (const options of [{}, { caption }, { caption, method: 'rise', seed: 3 }] as const) {
      let turns = 0;
      const ticking = setInterval(() => {
        turns += 1;
      }, 1);
      const found = await explain(there, owl, options);
      clearInterval(ticking);
      expect(found).toEqual(await explain(here, owl, options));
      expect(turns).toBeGreaterThan(0);
    }
  });

  it('says what cannot be explained, stops when it is told to, and ends with its captioner', async () => {
    const captioner = await Captioner.load(tiny, { threads: 1, workers: 1 });
    await expect(explain(captioner, owl, { caption: ' ' })).rejects.toThrow('has no words');
    const stop = new AbortController();
    const stopped = explain(captioner, owl, { method: 'rise', signal: stop.signal });
    setTimeout(() => stop.abort(), 5);
    await expect(stopped).rejects.toThrow('abort');
    expect((await explain(captioner, owl)).words.length).toBeGreaterThan(0);
    const lost = explain(captioner, owl, { caption: 'an owl', method: 'rise' });
    const told = expect(lost).rejects.toThrow('the captioner was disposed');
    await new Promise((resolve) => setTimeout(resolve, 20));
    captioner[Symbol.dispose]();
    await told;
  });
});
