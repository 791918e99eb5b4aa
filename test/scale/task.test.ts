/** Which shards are a task's: all of them are somebody's, each once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shardsOfTask, taskOf } from '../../src/scale/task.ts';

describe('a task', () => {
  it.each([
    ['flags', { task: 2, tasks: 5 }, {}, { index: 2, count: 5 }],
    ['nothing', {}, {}, { index: 0, count: 1 }],
    // As Slurm sets them for --array=10-16:2.
    [
      'a Slurm array',
      {},
      {
        SLURM_ARRAY_TASK_ID: '14',
        SLURM_ARRAY_TASK_MIN: '10',
        SLURM_ARRAY_TASK_MAX: '16',
        SLURM_ARRAY_TASK_STEP: '2',
        SLURM_ARRAY_TASK_COUNT: '4',
      },
      { index: 2, count: 4 },
    ],
    ['an Indexed Job', { tasks: 8 }, { JOB_COMPLETION_INDEX: '7' }, { index: 7, count: 8 }],
    [
      'flags before the engine',
      { task: 0, tasks: 2 },
      { SLURM_ARRAY_TASK_ID: '5', SLURM_ARRAY_TASK_COUNT: '6' },
      { index: 0, count: 2 },
    ],
  ])('is said by %s', (_, flags, env, task) => expect(taskOf(flags, env)).toEqual(task));

  it.each([
    [{ task: 3, tasks: 3 }, {}, 'task 3 is none of 3: they are counted from 0 to 2.'],
    [{ tasks: 3 }, {}, '--tasks 3 needs --task, a number from 0 to 2.'],
    [{}, { JOB_COMPLETION_INDEX: '1' }, 'task 1 is one of how many? Say so with --tasks'],
    [{}, { SLURM_ARRAY_TASK_ID: 'x' }, 'SLURM_ARRAY_TASK_ID: this should be a whole number'],
  ])('that cannot be is refused: %j %j', (flags, env, sentence) =>
    expect(() => taskOf(flags, env)).toThrow(sentence),
  );

  it('has shards of its own, and together they have all', () => {
    const shards = fc.uniqueArray(fc.string(), { maxLength: 40 });
    fc.assert(
      fc.property(shards, fc.integer({ min: 1, max: 12 }), (all, count) => {
        const parts = Array.from({ length: count }, (_, index) =>
          shardsOfTask(all, { index, count }),
        );
        expect(parts.flat().sort()).toEqual([...all].sort());
        const sizes = parts.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
