/** A pool of worker threads: results in the order of the tasks, and faults told where the results are taken. */
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import type { Runner } from '../../src/metrics/corpus/runner.ts';
import { defaultWorkers, workerRunner } from '../../src/score/pool.ts';
import { temporaryFolder, write } from '../data/caption-files.ts';

/** Waits as long as the task says, and gives its name and what was set up. */
const worker = pathToFileURL(
  write(
    temporaryFolder(),
    'worker.mjs',
    `
    import { parentPort, threadId } from 'node:worker_threads';
    let word;
    parentPort.on('message', (request) => {
      if ('setup' in request) {
        word = request.setup;
        parentPort.postMessage({ done: true });
        return;
      }
      const { name, wait = 0, fault, bytes } = request.task;
      if (fault === 'exit') process.exit(3);
      const end = Date.now() + wait;
      while (Date.now() < end);
      if (fault) {
        const error = { input: fault === 'input', message: 'about ' + name, stack: 'over there' };
        parentPort.postMessage({ error });
      } else parentPort.postMessage({ result: { name, word, threadId, size: bytes?.byteLength } });
    });
  `,
  ),
);

interface Task {
  readonly name: string;
  readonly wait?: number;
  readonly fault?: 'exit' | 'input' | 'other';
  readonly bytes?: ArrayBuffer;
}
interface Result {
  readonly name: string;
  readonly word: string;
  readonly threadId: number;
  readonly size?: number;
}
type Pool = Runner<string, Task, Result>;

const open: Pool[] = [];
function pool(workers: number): Pool {
  const runner: Pool = workerRunner(worker, workers);
  open.push(runner);
  return runner;
}
afterEach(async () => {
  for (const runner of open.splice(0)) await runner.close();
});

async function results(runner: Pool, tasks: Iterable<Task>): Promise<Result[]> {
  const all: Result[] = [];
  for await (const result of runner.map(tasks, ({ bytes }) => (bytes ? [bytes] : [])))
    all.push(result);
  return all;
}

describe('a pool', () => {
  it.each([1, 3])('of %i gives results in the order of the tasks, after the setup', async (n) => {
    const runner = pool(n);
    await runner.setUp('first');
    const tasks = Array.from({ length: 12 }, (_, i) => ({
      name: `${i}`,
      wait: i % 3 === 0 ? 20 : 0,
    }));
    const found = await results(runner, tasks);
    expect(found.map(({ name }) => name)).toEqual(tasks.map(({ name }) => name));
    expect(new Set(found.map(({ word }) => word))).toEqual(new Set(['first']));
    expect(new Set(found.map(({ threadId }) => threadId)).size).toBe(n);
    await runner.setUp('second');
    expect((await results(runner, tasks)).every(({ word }) => word === 'second')).toBe(true);
  });

  it('takes tasks as threads get free, two a thread ahead', async () => {
    let taken = 0;
    function* tasks() {
      for (let i = 0; i < 50; i++) {
        taken = i + 1;
        yield { name: `${i}` };
      }
    }
    const running = pool(2).map(tasks(), () => []);
    const first = running.next();
    expect(taken).toBe(4);
    expect((await first).value?.name).toBe('0');
    await running.return();
  });

  it('hands over buffers', async () => {
    const bytes = new ArrayBuffer(64);
    expect((await results(pool(1), [{ name: 'a', bytes }]))[0].size).toBe(64);
    expect(bytes.byteLength).toBe(0);
  });

  it.each(['input', 'other'] as const)('tells a fault as what it is: %s', async (fault) => {
    const tasks = [{ name: 'good' }, { name: 'bad', fault }];
    const failure = await results(pool(2), tasks).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure instanceof InputError).toBe(fault === 'input');
    if (!(failure instanceof Error)) return;
    expect(failure.message).toBe('about bad');
    if (fault === 'other') expect(failure.stack).toBe('over there');
  });

  it('tells that a thread ended, at once and later', async () => {
    const runner = pool(1);
    await expect(results(runner, [{ name: 'last', fault: 'exit' }])).rejects.toThrow(
      'ended with 3',
    );
    await expect(runner.setUp('again')).rejects.toThrow('ended with 3');
  });

  it('tells that a task cannot be made', async () => {
    function* tasks(): Generator<Task> {
      for (let i = 0; i < 5; i++) yield { name: `${i}` };
      throw new InputError('no more tasks');
    }
    await expect(results(pool(1), tasks())).rejects.toThrow('no more tasks');
  });
});

it('has at most eight threads by itself', () => {
  expect(defaultWorkers()).toBeGreaterThanOrEqual(1);
  expect(defaultWorkers()).toBeLessThanOrEqual(8);
});
