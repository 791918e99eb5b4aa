/** Recipes by several ranks, which are here in one process. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { peersOver } from '../../../src/train/distributed/collectives.ts';
import { inProcessTransports } from '../../../src/train/distributed/in-process.ts';
import { readRecipe } from '../../../src/train/recipe/recipe.ts';
import { type RecipeOptions, trainMembers, trainStages } from '../../../src/train/recipe/stages.ts';
import { tinyFolder } from '../tiny-runs.ts';

const at = tinyFolder();

const shared = { width: 32, heads: 4, layers: 1, minWordCount: 1, dtype: 'f32', logEvery: 1 };
const stages = [
  { name: 'decoder', epochs: 2, learningRate: 1e-3 },
  { name: 'tower', from: 'last', epochs: 3, visionBlocks: 'all', learningRate: 1e-4, runs: 2 },
];

type More = Partial<RecipeOptions>;

const options = (output: string, more: More) => ({
  data: at('pictures'),
  start: { tower: at('tower') },
  output: at(output),
  threads: 1,
  onNote: () => undefined,
  onFeatures: () => undefined,
  onEvent: () => undefined,
  onStage: () => undefined,
  ...more,
});

async function train(output: string, batches: object, more: More = {}): Promise<void> {
  const recipe = readRecipe({ ...shared, ...batches, stages }, 'plain', (settings) => settings);
  await trainStages({ ...options(output, more), stages: recipe.stages ?? [] });
}

/** Each rank at once, all with these options; the second is given its own, too. */
async function together(start: (more: More) => Promise<void>, more: More = {}, second: More = {}) {
  const jobs = inProcessTransports(2, more.signal).map((transport) => peersOver(transport));
  const started = jobs.map((peers) =>
    start({ ...more, ...(peers.rank === 1 ? second : {}), peers }),
  );
  await Promise.allSettled(started);
  return Promise.all(started);
}

const weights = (model: string) => readFile(at(model, 'model.safetensors'));
const both = { batchSize: 2 };
const one = { batchSize: 4, microBatch: 2 };

describe('a recipe of two stages on two ranks', () => {
  it('leaves the bits of one process with their batches as its parts, and the first rank tells', async () => {
    const notes: string[][] = [[], []];
    const telling = (rank: number) => ({ onNote: (note: string) => notes[rank].push(note) });
    await together((more) => train('two', both, more), telling(0), telling(1));
    await train('one', one);
    for (const model of ['1-decoder/last', '2-tower/seed-1/best', '2-tower/seed-2/last', 'best'])
      expect(await weights(`two/${model}`)).toEqual(await weights(`one/${model}`));
    expect(notes[0]).toContain('stage 2 of 2, tower, seed 2:');
    expect(notes[1]).toEqual([]);
    const record = JSON.parse(await readFile(at('two/stages.json'), 'utf8'));
    expect(record).toMatchObject({ ranks: 2, stages: [{ name: 'decoder' }, { name: 'tower' }] });
  });

  it('goes on in the stage where it was stopped, in the same number of ranks alone', async () => {
    const stop = new AbortController();
    let stage = '';
    const stopped = together((more) => train('stopped', both, more), {
      signal: stop.signal,
      onStage: ({ name }) => {
        stage = name;
      },
      onEvent: (event) => {
        if (stage === 'tower' && event.kind === 'step' && event.step === 3)
          stop.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    await expect(train('stopped', both, { resume: true })).rejects.toThrow(
      'stopped: the run was made otherwise: ranks: 2 before, 1 now',
    );
    const notes: string[] = [];
    await together((more) => train('stopped', both, { ...more, resume: true }), {
      onNote: (note) => notes.push(note),
    });
    expect(notes).toContain('stage 1 of 2, decoder: done before.');
    expect(notes).toContain('going on after step 3');
    expect(await weights('stopped/best')).toEqual(await weights('two/best'));
  });

  it('trains members likewise', async () => {
    const file = (batches: object) => ({
      ...{ ...shared, ...batches, members: [{ stages }, { seed: 3, stages: [stages[0]] }] },
    });
    const members = (output: string, batches: object) => (more: More) =>
      trainMembers({
        ...options(output, more),
        members: readRecipe(file(batches), 'plain', (settings) => settings).members ?? [],
      });
    await together(members('members-two', both));
    await members('members-one', one)({});
    for (const model of ['best', 'best/member-2'])
      expect(await weights(`members-two/${model}`)).toEqual(await weights(`members-one/${model}`));
  });
});
