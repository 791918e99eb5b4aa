/** Steps that fail: a gradient that is not finite, an update that breaks off. */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Updater } from '../../../src/nn/updater.ts';
import type { TrainingEvent } from '../../../src/train/loop/trainer.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { tinyRuns } from '../tiny-runs.ts';

const { at, train, weights } = tinyRuns();
afterEach(() => vi.restoreAllMocks());

/** The gradients of these steps, counted over all runs of a test, are not finite. */
function spoilGradients(...steps: number[]): void {
  const { gradientNorm } = Updater.prototype;
  let step = 0;
  vi.spyOn(Updater.prototype, 'gradientNorm').mockImplementation(function (this: Updater, flat) {
    step += 1;
    return steps.includes(step) ? Promise.resolve(Number.NaN) : gradientNorm.call(this, flat);
  });
}

const kinds = (events: readonly TrainingEvent[]) => events.map(({ kind }) => kind);

describe('a step without a finite gradient', () => {
  it('leaves an average of the weights as they are, were it the first', async () => {
    spoilGradients(1, 2);
    const events = await train('all-skipped', { epochs: 1, ema: 0.9 });
    expect(kinds(events)).toEqual(['skipped', 'skipped', 'validation']);
    await using saved = await openWeights(at('all-skipped/last'));
    const values = await saved.readFloat32('text_decoder.bert.embeddings.word_embeddings.weight');
    const size = values.reduce((sum, x) => sum + Math.abs(x), 0) / values.length;
    // Normal with a deviation of .02.
    expect(size).toBeGreaterThan(0.01);
    expect(size).toBeLessThan(0.03);
  });

  it('is no update: the next one is corrected as the first', async () => {
    const apply = vi.spyOn(Updater.prototype, 'apply');
    spoilGradients(1, 3);
    const events = await train('skipped', { ema: 0.9 });
    expect(kinds(events)).toEqual([
      'skipped',
      'step',
      'validation',
      'skipped',
      'step',
      'validation',
    ]);
    expect(apply.mock.calls.map(([, { step }]) => step)).toEqual([1, 2]);
  });

  it('is remembered over an interruption', async () => {
    const settings = { ema: 0.9, checkpointEvery: 1, epochs: 3, dropout: 0.2 };
    spoilGradients(1, 3);
    await train('skips', settings);
    vi.restoreAllMocks();
    spoilGradients(1, 3);
    const stop = new AbortController();
    const onEvent = (event: TrainingEvent) => {
      if (event.kind === 'skipped' && event.step === 3) stop.abort();
    };
    await expect(train('skips-parts', settings, { onEvent, signal: stop.signal })).rejects.toThrow(
      'abort',
    );
    vi.restoreAllMocks();
    await train('skips-parts', settings, { resume: true });
    expect(await weights('skips-parts')).toEqual(await weights('skips'));
  });

  it('of a checkpoint of before is one of none', async () => {
    const settings = { checkpointEvery: 1, keepCheckpoints: 9, epochs: 2 };
    await train('older', settings);
    await cp(at('older'), at('older-again'), { recursive: true });
    await rm(at('older-again/checkpoints/step-4'), { recursive: true });
    const state = at('older-again/checkpoints/step-3/state.json');
    const saved = JSON.parse(await readFile(state, 'utf8'));
    expect(saved.progress.allSkipped).toBe(0);
    delete saved.progress.allSkipped;
    await writeFile(state, JSON.stringify(saved));
    await train('older-again', settings, { resume: true });
    expect(await weights('older-again')).toEqual(await weights('older'));
  });
});

describe('an update that fails half-way', () => {
  it('is done again from the checkpoint before it, to the same bits', async () => {
    const settings = { checkpointEvery: 1, dropout: 0.2, epochs: 3 };
    await train('updated', settings);
    const { apply } = Updater.prototype;
    let calls = 0;
    vi.spyOn(Updater.prototype, 'apply').mockImplementation(async function (
      this: Updater,
      gradients,
      step,
    ) {
      await apply.call(this, gradients, step);
      calls += 1;
      if (calls === 3) throw new Error('the device is gone');
    });
    await expect(train('torn', settings)).rejects.toThrow('the device is gone');
    expect(await readdir(at('torn/checkpoints'))).toEqual(['step-1', 'step-2']);
    vi.restoreAllMocks();
    await train('torn', settings, { resume: true });
    expect(await weights('torn')).toEqual(await weights('updated'));
    expect(await weights('torn', 'best')).toEqual(await weights('updated', 'best'));
  });
});
