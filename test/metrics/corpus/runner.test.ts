/** The runner in this thread. */
import { describe, expect, it } from 'vitest';
import { localRunner } from '../../../src/metrics/corpus/runner.ts';

describe('localRunner', () => {
  it('runs the tasks in order, one when it is asked for, after the setup', async () => {
    const log: string[] = [];
    const runner = localRunner<string, number, number>({
      setUp: async (setup) => void log.push(setup),
      run: (task) => {
        log.push(`run ${task}`);
        return task * 2;
      },
      transfers: () => [],
    });
    function* tasks() {
      for (let task = 1; ; task++) {
        log.push(`make ${task}`);
        yield task;
      }
    }
    await runner.setUp('setup');
    for await (const result of runner.map(tasks(), () => [])) if (result === 4) break;
    expect(log).toEqual(['setup', 'make 1', 'run 1', 'make 2', 'run 2']);
  });

  it('gives timers their turn between tasks', async () => {
    const handler = { setUp: async () => {}, run: (task: number) => task, transfers: () => [] };
    let fired = false;
    setImmediate(() => {
      fired = true;
    });
    const seen: boolean[] = [];
    for await (const _ of localRunner(handler).map([1, 2, 3], () => [])) seen.push(fired);
    expect(seen[0]).toBe(false);
    expect(seen[2]).toBe(true);
  });
});
