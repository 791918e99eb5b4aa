/** Texts packed for another thread. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packBytes, packTexts, unpackTexts } from '../../../src/metrics/corpus/packed-texts.ts';

describe('packed texts', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        expect(unpackTexts(packTexts(texts))).toEqual(texts);
      }),
    );
  });

  it('are the same packed from bytes', () => {
    const texts = ['a dog', '', 'é \u{1F436}'];
    const bytes = texts.map((text) => new TextEncoder().encode(text));
    expect(packBytes(bytes)).toEqual(packTexts(texts));
    expect([...packTexts(texts).ends]).toEqual([5, 5, 12]);
  });
});
