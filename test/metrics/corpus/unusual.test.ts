/** Captions that deserve a warning. */
import { describe, expect, it } from 'vitest';
import { UnusualCounter } from '../../../src/metrics/corpus/unusual.ts';

describe('UnusualCounter', () => {
  it('counts over chunks and names the first', () => {
    const counter = new UnusualCounter();
    for (const texts of [['a', 'b'], ['', 'c\u0007', ' ', 'tab\t is fine'], ['x'.repeat(10_000)]])
      counter.add(UnusualCounter.of(texts), texts.length);
    expect(counter.warnings('f.json', (position) => `image ${position}`)).toEqual([
      'f.json: 2 captions are empty (first: image 2); scored as they stand.',
      'f.json: 1 caption holds control characters (first: image 3); scored as it stands.',
      'f.json: 1 caption is very long (first: image 6); scored as it stands.',
    ]);
  });
});
