/** How captions are drawn for keywords. */
import { expect, it } from 'vitest';
import { drawOptions } from '../../../src/cli/options/style.ts';

it('draws captions for keywords as captions are written, without what each word would cost', () => {
  const written = { num_beams: 3, max_new_tokens: 9, words: true, dependence: true };
  expect(drawOptions({}, written)).toBeUndefined();
  const { num_return_sequences: count, ...options } = drawOptions({ keywords: 3 }, written) ?? {};
  expect(count).toBeGreaterThan(1);
  expect(options).toEqual({
    ...{ num_beams: 1, max_new_tokens: 9, do_sample: true, top_p: 0.9 },
    ...{ words: false, dependence: false },
  });
  expect(drawOptions({ keywords: 3 }, { top_p: 0.5 })?.top_p).toBe(0.5);
});
