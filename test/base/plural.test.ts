import { describe, expect, it } from 'vitest';
import { plural } from '../../src/base/plural.ts';

describe('a number and its noun', () => {
  it('agree', () => {
    const said = [0, 1, 2].map((count) => [plural(count, 'film'), plural(count, 'is', 'are')]);
    expect(said).toEqual([
      ['0 films', '0 are'],
      ['1 film', '1 is'],
      ['2 films', '2 are'],
    ]);
  });
});
