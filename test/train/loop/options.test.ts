/** Options and settings that do not fit are found before any feature is computed. */
import { readdir } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import type { RunOptions } from '../../../src/train/loop/run.ts';
import { tinyRuns } from '../tiny-runs.ts';

const { at, train } = tinyRuns();

describe('what does not fit', () => {
  const wrong: [string, object, Partial<RunOptions>, string][] = [
    ['threads below', {}, { threads: -1 }, 'threads (-1) must be a whole number from 1 on'],
    ['threads between', {}, { threads: 1.5 }, 'threads (1.5) must be a whole number from 1 on'],
    ['no memory', {}, { memoryLimit: 0 }, 'the memory limit (0 bytes) must be more than 0'],
    ['no number', {}, { memoryLimit: Number.NaN }, 'the memory limit (NaN bytes)'],
    ['blocks', { visionBlocks: 9 }, {}, 'visionBlocks (9) is more than the 3 blocks'],
    ['layer', { refinement: {}, readLayer: 3 }, {}, 'readLayer (3, counted from 0) is past'],
    ['heads', { refinement: { heads: 5 } }, {}, 'refinement.heads (5) does not divide'],
    ['prompt', { prompt: 'a red circle '.repeat(30) }, {}, 'leaves no room after the prompt'],
  ];
  it.each(wrong)('is found before any feature: %s', async (name, settings, more, message) => {
    let features = 0;
    const onFeatures = () => {
      features += 1;
    };
    const cache = at(`features of ${name}`);
    const run = train(name, settings, { cache, onFeatures, ...more });
    await expect(run).rejects.toThrow(message);
    expect(features).toBe(0);
    expect(await readdir(at())).not.toContain(`features of ${name}`);
  });

  it('is found before any feature when a run goes on', async () => {
    await train('resumed', { epochs: 1 });
    const onFeatures = vi.fn();
    const cache = at('features of another');
    await expect(
      train('resumed', { epochs: 1, dropout: 0.3 }, { resume: true, cache, onFeatures }),
    ).rejects.toThrow('train.dropout: 0.15 before, 0.3 now');
    expect(onFeatures).not.toHaveBeenCalled();
  });
});
