import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { peersOver } from '../../../src/train/distributed/collectives.ts';
import { inProcessTransports } from '../../../src/train/distributed/in-process.ts';
import type { WireDtype } from '../../../src/train/distributed/names.ts';

const job = (size: number, dtype?: WireDtype) =>
  inProcessTransports(size).map((transport) => peersOver(transport, dtype));

/** Values of each rank, all of one length. */
const ranksOf = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 40 }))
  .chain(([size, length]) =>
    fc.array(fc.array(fc.float({ noNaN: true }), { minLength: length, maxLength: length }), {
      minLength: size,
      maxLength: size,
    }),
  );

describe('sums over ranks', () => {
  it('are those of one process that adds in the order of ranks, to the bit, on each', async () => {
    await fc.assert(
      fc.asyncProperty(ranksOf, async (values) => {
        const sum = values[0].map((_, i) =>
          values.slice(1).reduce((all, own) => Math.fround(all + own[i]), values[0][i]),
        );
        const all = await Promise.all(
          job(values.length).map(async (peers) => {
            const own = Float32Array.from(values[peers.rank]);
            await peers.addUp(own);
            return own;
          }),
        );
        for (const own of all) expect(own).toEqual(Float32Array.from(sum));
      }),
    );
  });

  it('are longer than what is exchanged at a time', async () => {
    const length = 2 ** 22 + 5;
    const all = await Promise.all(
      job(2).map(async (peers) => {
        const own = Float32Array.from({ length }, (_, i) => i % 1000);
        await peers.addUp(own);
        return own;
      }),
    );
    const wrong = (own: Float32Array) => own.findIndex((value, i) => value !== 2 * (i % 1000));
    expect(all.map(wrong)).toEqual([-1, -1]);
  });

  it('of numbers keep their precision, NaN and infinities', async () => {
    const all = await Promise.all(
      job(3).map((peers) =>
        peers.sums([1 / 3, peers.rank, peers.rank === 1 ? Number.NaN : 0, Infinity]),
      ),
    );
    for (const own of all) expect(own).toEqual([1 / 3 + 1 / 3 + 1 / 3, 3, NaN, Infinity]);
  });

  it('in 16 bits are rounded by at most one part in 256 for each term and for the sum, and equal on all ranks', async () => {
    const values = (rank: number) =>
      Float32Array.from({ length: 999 }, (_, i) => Math.sin(i * 7 + rank) * 10 ** (i % 7));
    const all = await Promise.all(
      job(3, 'bf16').map(async (peers) => {
        const own = values(peers.rank);
        await peers.addUp(own);
        return own;
      }),
    );
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
    const terms = [0, 1, 2].map(values);
    for (const [i, sum] of all[0].entries()) {
      const size = terms.reduce((most, own) => most + Math.abs(own[i]), 0);
      expect(Math.abs(sum - terms[0][i] - terms[1][i] - terms[2][i])).toBeLessThan(size / 128);
    }
    expect(all[0]).not.toEqual(terms[0].map((_, i) => terms[0][i] + terms[1][i] + terms[2][i]));
  });
});

it('tell the ranks whose values differ from the first in a bit', async () => {
  const found = await Promise.all(
    job(3).map(async (peers) => {
      const values = Float32Array.of(1, 0, peers.rank === 1 ? -0 : 0);
      return [await peers.differing(values), await peers.differing(Float32Array.of(peers.size))];
    }),
  );
  expect(found).toEqual(Array(3).fill([[1], []]));
});

describe('the first rank', () => {
  it('gives its values and what it finds to all', async () => {
    const schema = z.strictObject({ step: z.int(), best: z.number().nullable() });
    const found = await Promise.all(
      job(3).map(async (peers) => {
        const own = Float32Array.of(peers.rank, 1);
        await peers.spread(own);
        const said = await peers.ofFirst(schema, async () => ({ step: 3, best: null }));
        return [...own, said];
      }),
    );
    for (const one of found) expect(one).toEqual([0, 1, { step: 3, best: null }]);
  });

  it('is told apart from one of another version', async () => {
    const [first, second] = job(2);
    const said = first.ofFirst(z.unknown(), async () => ({ other: 1 }));
    await expect(second.ofFirst(z.strictObject({}), async () => ({}))).rejects.toThrow(
      'all ranks must run the same version of refcap',
    );
    await said;
  });
});
