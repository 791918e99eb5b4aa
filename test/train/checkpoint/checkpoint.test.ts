/** Checkpoints: whole or not there, kept as many as asked, and the metrics cut to where a run goes on. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { ParameterStore } from '../../../src/nn/parameter-store.ts';
import { normal } from '../../../src/nn/scope.ts';
import {
  beginning,
  listCheckpoints,
  loadCheckpoint,
  saveCheckpoint,
  truncateMetrics,
} from '../../../src/train/checkpoint/checkpoint.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-checkpoint-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function filled(seed: number, rows = 3) {
  const store = new ParameterStore([{ name: 'w', shape: [rows, 4], initializer: normal(1) }]);
  store.initialize(createRandom(seed));
  const random = createRandom(seed + 1);
  return { store, slots: { moment: store.trainable.map(() => random.normal()) } };
}

describe('checkpoints', () => {
  it('give back values, state and progress to the bit; the newest are kept', async () => {
    const run = join(folder, 'run');
    for (const step of [9, 10, 11]) {
      const { store, slots } = filled(step);
      await saveCheckpoint(run, store, slots, { ...beginning, step, allSkipped: 2 }, 2);
    }
    const list = await listCheckpoints(run);
    expect(list.map(({ step }) => step)).toEqual([11, 10]);
    const { store, slots } = filled(1);
    const progress = await loadCheckpoint(list[0].path, store, slots);
    expect(progress).toEqual({ ...beginning, step: 11, allSkipped: 2 });
    expect(store.trainable).toEqual(filled(11).store.trainable);
    expect(slots).toEqual(filled(11).slots);
    const other = filled(1, 5);
    await expect(loadCheckpoint(list[0].path, other.store, other.slots)).rejects.toThrow(
      'another architecture',
    );
    const more = { ...slots, average: new Float32Array(slots.moment.length) };
    await expect(loadCheckpoint(list[0].path, store, more)).rejects.toThrow("state 'average'");
    expect(await readdir(join(run, 'checkpoints'))).toHaveLength(2);
  });

  it('are none where no run was', async () => {
    expect(await listCheckpoints(join(folder, 'none'))).toEqual([]);
  });
});

describe('metrics', () => {
  const lines = [
    { kind: 'step', step: 1, epoch: 1 },
    { kind: 'validation', step: 1, epoch: 1 },
    { kind: 'skipped', step: 2 },
    { kind: 'validation', step: 2, epoch: 2 },
    { kind: 'step', step: 3, epoch: 3 },
  ];
  const cut = async (step: number, epoch: number) => {
    const path = join(folder, 'metrics.jsonl');
    const text = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"kind":"st`;
    await writeFile(path, text);
    await truncateMetrics(path, text, { step, epoch });
    const kept = (await readFile(path, 'utf8')).trim().split('\n').filter(Boolean);
    return kept.map((line) => JSON.parse(line));
  };

  it('are kept up to the step, and validations up to the epoch, that a run goes on with', async () => {
    expect(await cut(2, 3)).toEqual(lines.slice(0, 4));
    // Interrupted in the validation of the second epoch, which is done again.
    expect(await cut(2, 2)).toEqual(lines.slice(0, 3));
    expect(await cut(9, 9)).toEqual(lines);
    expect(await cut(0, 1)).toEqual([]);
  });
});
