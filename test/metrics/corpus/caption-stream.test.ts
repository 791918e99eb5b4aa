/** A corpus cut anywhere is tokenized like the whole. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptionStream } from '../../../src/metrics/corpus/caption-stream.ts';
import { tokenizeCaptions } from '../../../src/metrics/tokenizer/tokenizer.ts';
import { type Item, metricFixture } from '../../data/caption-files.ts';

const encoder = new TextEncoder();

function inParts(captions: readonly string[], size: number): string[] {
  const bytes = captions.map((text) => encoder.encode(text));
  const stream = new CaptionStream();
  const tokens: string[] = [];
  for (let at = 0; at < captions.length; at += size) {
    const around = stream.next(bytes.slice(at, at + size), bytes.slice(at + size));
    tokens.push(...tokenizeCaptions(captions.slice(at, at + size), around));
  }
  return tokens;
}

describe('CaptionStream', () => {
  it.each([1, 2, 7, 128])('gives what the tokens of %i captions depend on', (size) => {
    const { items } = metricFixture<{ items: Item[] }>('caption_stream.json');
    const captions = items.flatMap(({ candidate, references }) => [candidate, ...references]);
    expect(inParts(captions, size)).toEqual(tokenizeCaptions(captions));
  });

  it('does so for captions of all kinds', () => {
    const piece = fc.constantFrom(
      ...['The', 'the', 'T.', 'U.S.', 'Ave.', 'no.', '5', ' ', '', '.', "'", '"', '>'],
      ...['<b', ' c="', "<a b='", '<!x', '^.[^x=', '<>]', '&nbsp;', '\u0085', '\u00a0', '\r'],
    );
    const caption = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(' '));
    fc.assert(
      fc.property(
        fc.array(caption, { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        (all, size) => {
          expect(inParts(all, size)).toEqual(tokenizeCaptions(all));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('finds the end of markup many captions on', () => {
    const captions = ['T.', '<a b="x', ...Array<string>(300).fill('The dog T.'), 'y"> z', 'A'];
    const tokens = inParts(captions, 8);
    expect(tokens).toEqual(tokenizeCaptions(captions));
    expect(tokens.slice(0, 3)).toEqual(['t', '<a\u00a0b="x', 'the\u00a0dog\u00a0t.']);
    expect(tokens.slice(-2)).toEqual(['y"> z', 'a']);
  });

  it('looks no further than it has to', () => {
    let seen = 0;
    const following = {
      *[Symbol.iterator]() {
        for (;;) {
          seen++;
          yield encoder.encode('a dog');
        }
      },
    };
    const around = new CaptionStream().next([encoder.encode('the letter T.')], following);
    expect(around).toEqual({ before: '', behind: '\na dog\n' });
    expect(seen).toBe(2);
  });
});
