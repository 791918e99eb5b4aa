/** Steps that are loaded while the one before is computed. */
import { describe, expect, it } from 'vitest';
import { loadedAhead } from '../../../src/train/loop/steps.ts';

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

function counting(count: number, failing = -1) {
  const log: string[] = [];
  async function* steps(): AsyncGenerator<number, undefined> {
    try {
      for (let i = 0; i < count; i++) {
        log.push(`load ${i}`);
        await turn();
        if (i === failing) throw new Error(`step ${i} fails`);
        yield i;
      }
      return undefined;
    } finally {
      log.push('closed');
    }
  }
  return { log, steps: steps() };
}

describe('loadedAhead', () => {
  it('loads the next step while one is computed, and no more', async () => {
    const { log, steps } = counting(3);
    const found: number[] = [];
    for await (const { step, waited } of loadedAhead(steps)) {
      await turn();
      await turn();
      log.push(`computed ${step}`);
      found.push(step);
      expect(waited).toBeGreaterThanOrEqual(0);
    }
    expect(found).toEqual([0, 1, 2]);
    expect(log).toEqual([
      'load 0',
      'load 1',
      'computed 0',
      'load 2',
      'computed 1',
      'closed',
      'computed 2',
    ]);
  });

  it('tells what fails after the step before it', async () => {
    const { log, steps } = counting(3, 1);
    const found: number[] = [];
    await expect(async () => {
      for await (const { step } of loadedAhead(steps)) {
        await turn();
        await turn();
        found.push(step);
      }
    }).rejects.toThrow('step 1 fails');
    expect(found).toEqual([0]);
    expect(log.at(-1)).toBe('closed');
  });

  it('leaves nothing under way where it is stopped', async () => {
    const { log, steps } = counting(9);
    for await (const _ of loadedAhead(steps)) break;
    expect(log).toEqual(['load 0', 'load 1', 'closed']);
  });
});
