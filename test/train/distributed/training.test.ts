/** Training by several ranks, which are here in one process. */
import { readFile, rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { peersOver } from '../../../src/train/distributed/collectives.ts';
import { inProcessTransports } from '../../../src/train/distributed/in-process.ts';
import { alone, type Peers } from '../../../src/train/distributed/peers.ts';
import type { TrainingEvent } from '../../../src/train/loop/trainer.ts';
import { tinyRuns } from '../tiny-runs.ts';

const runs = tinyRuns();

/** Each rank's run at once. @returns what the first one told */
async function together(
  size: number,
  output: string,
  settings: object,
  more: Parameters<typeof runs.train>[2] = {},
) {
  const jobs = inProcessTransports(size, more.signal).map((transport) => peersOver(transport));
  const started = jobs.map((peers) => runs.train(output, settings, { ...more, peers }));
  // Each is through with its files, whoever of them fails first.
  await Promise.allSettled(started);
  return started[0];
}

const steps = (events: Awaited<ReturnType<typeof runs.train>>) =>
  events.flatMap((event) =>
    event.kind === 'step'
      ? [{ loss: event.loss, terms: event.terms, norm: event.gradientNorm }]
      : [],
  );

describe('ranks that train together', () => {
  it.each([
    { name: 'both layers', settings: {} },
    {
      name: 'plain',
      settings: { refinement: null, alignment: null, dropout: 0.2, captionsPerImage: 1 },
    },
  ])(
    'are one process with their batches as its parts, to the bit: $name',
    async ({ name, settings }) => {
      const both = await together(2, `${name}-2`, { ...settings, batchSize: 3 });
      const one = await runs.train(`${name}-1`, { ...settings, batchSize: 6, microBatch: 3 });
      expect(steps(both)).toEqual(steps(one));
      expect(await runs.weights(`${name}-2`)).toEqual(await runs.weights(`${name}-1`));
    },
  );

  it('are one process with a larger batch to a millionth', async () => {
    const both = steps(await together(2, 'whole-2', { batchSize: 2, dropout: 0 }));
    const one = steps(await runs.train('whole-1', { batchSize: 4, dropout: 0 }));
    expect(both.length).toBe(one.length);
    for (const [i, { loss, norm }] of both.entries()) {
      expect(loss).toBeCloseTo(one[i].loss, 6);
      expect(Math.abs(norm / one[i].norm - 1)).toBeLessThan(1e-5);
    }
  });

  it('that part from the first are told, and go on with its weights', async () => {
    const events = new Map<number, TrainingEvent[]>();
    const jobs = inProcessTransports(2).map((transport): Peers => {
      const peers = peersOver(transport);
      const { rank } = peers;
      let updates = 0;
      return {
        ...peers,
        // A rank that rounds otherwise, in the first epoch alone.
        async addUp(values) {
          await peers.addUp(values);
          updates += 1;
          if (rank === 1 && updates === 1) values[0] += 1e-3;
        },
      };
    });
    const started = jobs.map((peers) => {
      const own: TrainingEvent[] = [];
      events.set(peers.rank, own);
      return runs.train(
        'parted',
        { batchSize: 2, epochs: 3 },
        { peers, onEvent: (event) => own.push(event) },
      );
    });
    await Promise.allSettled(started);
    await Promise.all(started);
    // At the end of the first epoch alone: after it they are the same again.
    const parted = events.get(0)?.filter(({ kind }) => kind === 'parted');
    expect(parted).toEqual([{ kind: 'parted', step: 2, ranks: [1] }]);
  });

  it('share the last step of an epoch, though some have no picture left', async () => {
    const three = await together(3, 'uneven-3', { batchSize: 3 });
    const one = await runs.train('uneven-1', { batchSize: 9, microBatch: 3 });
    expect(steps(three)).toEqual(steps(one));
    expect(await runs.weights('uneven-3')).toEqual(await runs.weights('uneven-1'));
  });

  it('go on to the bit where they were stopped, in the same number alone', async () => {
    await together(2, 'through', { batchSize: 2, epochs: 3 });
    const stop = new AbortController();
    const onEvent = (event: { readonly kind: string; readonly step: number }) => {
      if (event.kind === 'step' && event.step === 3) stop.abort(new Error('enough'));
    };
    const stopped = together(
      2,
      'stopped',
      { batchSize: 2, epochs: 3 },
      { signal: stop.signal, onEvent },
    );
    await expect(stopped).rejects.toThrow('enough');
    const again = { batchSize: 2, epochs: 3 };
    await expect(runs.train('stopped', again, { resume: true })).rejects.toThrow(
      'ranks: 2 before, 1 now',
    );
    await together(2, 'stopped', again, { resume: true });
    expect(await runs.weights('stopped')).toEqual(await runs.weights('through'));
  });

  it('draw and reward captions of their own pictures', async () => {
    await runs.train('base', { epochs: 1 });
    const start = { model: runs.at('base', 'best') };
    const settings = { stage: 'scst', epochs: 1, batchSize: 3, learningRate: 1e-4 };
    const both = await together(2, 'reward-2', settings, { start });
    const one = await runs.train(
      'reward-1',
      { ...settings, batchSize: 6, microBatch: 3 },
      { start },
    );
    // One process adds the rewards' gradients of both parts up before those of the given captions.
    const found = steps(both);
    for (const [i, { loss, terms, norm }] of steps(one).entries()) {
      expect(found[i].terms.reward).toBe(terms.reward);
      expect(found[i].loss).toBeCloseTo(loss, 6);
      expect(Math.abs(found[i].norm / norm - 1)).toBeLessThan(1e-6);
    }
  });

  it('need a folder that all see', async () => {
    const waiting: Peers = { ...alone, rank: 1, size: 2, ofFirst: async (_, find) => find() };
    await expect(runs.train('nowhere', {}, { peers: waiting })).rejects.toThrow(
      "nowhere: rank 1 does not see the run's folder; give an --output that all machines share",
    );
  });

  it('are told in config.json, and one writes the metrics', async () => {
    expect(await runs.json('whole-2/config.json')).toMatchObject({ ranks: 2 });
    const lines = (await readFile(runs.at('whole-2', 'metrics.jsonl'), 'utf8')).trim().split('\n');
    const told = lines.map((line): unknown => JSON.parse(line).step);
    expect(told.filter((step) => step === 1)).toHaveLength(1);
    await rm(runs.at('whole-2'), { recursive: true });
  });
});
