/** What the page knows of where words looked: asked for once, stopped, told when it fails, gone when the caption changes. */
import { describe, expect, it } from 'vitest';
import { Explaining } from '../../../web/src/pictures/explaining.ts';
import { newPicture, whyOf } from '../../../web/src/pictures/picture.ts';
import type { Explanation } from '../../../web/src/server/client.ts';
import { TokenNeeded } from '../../../web/src/server/errors.ts';

function captioned(...texts: string[]) {
  const picture = newPicture('cat.jpg', new File([], 'cat.jpg'));
  const captions = texts.map((text) => ({ text, logprob: -1, meanLogprob: -1 }));
  const result = { caption: texts[0], captions, width: 4, height: 3, ms: 1 };
  picture.state.value = { kind: 'done', result };
  return picture;
}

function explanation(caption: string, ...dependences: number[]): Explanation {
  const words = dependences.map((dependence) => ({
    ...{ text: 'word', logprob: -1, dependence, place: 'centre', map: [[1]] },
  }));
  return { caption, method: 'gradient-attention', width: 4, height: 3, side: 1, words };
}

describe('where words looked', () => {
  it('is asked for, shown from the word that depends most, and hidden', async () => {
    const explaining = new Explaining(async (_, caption) => explanation(caption, -1, 3, 2));
    const picture = captioned('a cat sits');
    const shown = explaining.toggle(picture);
    expect(whyOf(picture).kind).toBe('asked');
    await shown;
    expect(whyOf(picture)).toMatchObject({ kind: 'known', of: 'a cat sits' });
    expect(picture.shownWord.value).toBe(1);
    await explaining.toggle(picture);
    expect(whyOf(picture).kind).toBe('none');
  });

  it('is known of one caption alone', async () => {
    const explaining = new Explaining(async (_, caption) => explanation(caption, 1));
    const picture = captioned('a cat', 'an owl');
    await explaining.toggle(picture);
    picture.chosen.value = 1;
    expect(whyOf(picture).kind).toBe('none');
    await explaining.toggle(picture);
    expect(whyOf(picture)).toMatchObject({ kind: 'known', of: 'an owl' });
    picture.edited.value = 'a bird';
    expect(whyOf(picture).kind).toBe('none');
  });

  it('is no longer asked for when it is hidden, and a late answer changes nothing', async () => {
    let stopped: AbortSignal | undefined;
    let answer = (_: Explanation): void => undefined;
    const explaining = new Explaining((_, __, signal) => {
      stopped = signal;
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
    const picture = captioned('a cat');
    const shown = explaining.toggle(picture);
    explaining.hide(picture);
    expect(stopped?.aborted).toBe(true);
    answer(explanation('a cat', 1));
    await shown;
    expect(whyOf(picture).kind).toBe('none');
  });

  it('says why it is not known, and can be asked for again', async () => {
    const errors = [new Error('lacks a word'), new TokenNeeded()];
    const explaining = new Explaining(async () => {
      throw errors.shift() ?? new Error('end');
    });
    const picture = captioned('a cat');
    await explaining.toggle(picture);
    expect(whyOf(picture)).toMatchObject({ kind: 'failed', message: 'lacks a word' });
    await explaining.toggle(picture);
    expect(whyOf(picture)).toMatchObject({ message: 'The server asks for a token.' });
  });
});
