/** Keys of samples: all different, and fit for a tar's header. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sampleKeys } from '../../../src/data/pack/keys.ts';
import { keyOf } from '../../../src/data/shards/address.ts';

it('says an id without its ending, where that is fit', () =>
  expect(sampleKeys(['a/b.jpg', '000000000042.jpg', 'v1.0 x/ü.png', 'a/b.png'])).toEqual([
    'a/b',
    '000000000042',
    'v1_0_x/_',
    expect.stringMatching(/^a\/b-[0-9a-f]{16}$/),
  ]));

it('is different for different ids, short, and its own key in a shard', () => {
  const id = fc.string({ minLength: 1, maxLength: 150, unit: 'binary' });
  fc.assert(
    fc.property(fc.uniqueArray(id), (ids) => {
      const keys = sampleKeys(ids);
      expect(new Set(keys).size).toBe(ids.length);
      for (const key of keys) {
        expect(Buffer.byteLength(`${key}.json`)).toBeLessThanOrEqual(100);
        expect(keyOf(`${key}.json`)).toBe(key);
      }
    }),
  );
});
