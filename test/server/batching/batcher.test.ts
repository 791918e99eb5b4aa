/** Batches: how they start, fail, are left, and what a full queue says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Admission, QueueFull, TooManyPictures } from '../../../src/server/batching/admission.ts';
import {
  Batcher,
  type BatcherOptions,
  WaitedTooLong,
} from '../../../src/server/batching/batcher.ts';

const never = new AbortController().signal;
const nothing = (): void => undefined;
const rules: BatcherOptions = {
  maxBatch: 3,
  maxDelay: 0,
  workers: 1,
  timeout: 60_000,
  isMoreComing: () => false,
};

/** A batcher whose batches end when they are told to. */
function held(options: Partial<BatcherOptions> = {}) {
  const batches: {
    tasks: readonly number[];
    signal: AbortSignal;
    end: () => void;
    fail: (error: Error) => void;
  }[] = [];
  const batcher = new Batcher<number, number>(
    (tasks, { signal }) =>
      new Promise((resolve, reject) => {
        const end = () => resolve(tasks.map((task) => task * 10));
        batches.push({ tasks, signal, end, fail: reject });
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    { ...rules, ...options },
  );
  return { batcher, batches };
}

describe('a batcher', () => {
  it('collects what comes while the worker is busy, by kind', async () => {
    const { batcher, batches } = held();
    const results = [1, 2, 3, 4, 5, 6].map((task) =>
      batcher.add(task === 4 ? 'other' : 'same', task, never, nothing),
    );
    expect(batcher.waiting).toBe(5);
    for (let i = 0; i < 4; i++) {
      batches[i]?.end();
      await sleep(0);
    }
    expect(batches.map(({ tasks }) => tasks)).toEqual([[1], [2, 3, 5], [4], [6]]);
    expect(await Promise.all(results)).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it('runs as many batches as there are workers', () => {
    const { batcher, batches } = held({ workers: 2, maxBatch: 1 });
    for (const task of [1, 2, 3]) batcher.add('same', task, never, nothing).catch(nothing);
    expect(batches.map(({ tasks }) => tasks)).toEqual([[1], [2]]);
  });

  it('fails a batch for all in it, and for nobody else', async () => {
    const { batcher, batches } = held();
    const first = batcher.add('same', 1, never, nothing);
    const others = [2, 3].map((task) => batcher.add('same', task, never, nothing));
    batches[0].fail(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    await sleep(0);
    batches[1].end();
    expect(await Promise.all(others)).toEqual([20, 30]);
  });

  it('drops what was left, and stops a batch when all have left it', async () => {
    const { batcher, batches } = held();
    const leavers = [1, 2, 3, 4].map(() => new AbortController());
    const results = leavers.map(({ signal }, i) => batcher.add('same', i, signal, nothing));
    const settled = Promise.allSettled(results);
    // The first runs, the others wait.
    leavers[3].abort(new Error('left'));
    expect(batcher.waiting).toBe(2);
    leavers[0].abort(new Error('left'));
    expect(batches[0].signal.aborted).toBe(true);
    await sleep(0);
    expect(batches[1].tasks).toEqual([1, 2]);
    leavers[1].abort(new Error('left'));
    expect(batches[1].signal.aborted).toBe(false);
    batches[1].end();
    expect((await settled).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
      'rejected',
    ]);
  });

  it('tells what waits for too long, and that it has left', async () => {
    const { batcher, batches } = held({ timeout: 20 });
    const left: number[] = [];
    const first = batcher.add('same', 1, never, () => left.push(1));
    const second = batcher.add('same', 2, never, () => left.push(2));
    expect(left).toEqual([1]);
    await expect(second).rejects.toThrow(WaitedTooLong);
    expect(left).toEqual([1, 2]);
    // What runs is not waiting.
    batches[0].end();
    expect(await first).toBe(10);
  });

  it('waits for what is on its way, up to the delay', async () => {
    let isMoreComing = true;
    const { batcher, batches } = held({ maxDelay: 30, isMoreComing: () => isMoreComing });
    batcher.add('same', 1, never, nothing).catch(nothing);
    expect(batches).toEqual([]);
    await sleep(60);
    expect(batches.map(({ tasks }) => tasks)).toEqual([[1]]);
    batches[0].end();
    await sleep(0);
    batcher.add('same', 2, never, nothing).catch(nothing);
    expect(batches.length).toBe(1);
    isMoreComing = false;
    batcher.look();
    expect(batches.map(({ tasks }) => tasks)).toEqual([[1], [2]]);
  });
});

describe('admission', () => {
  it('gives places until they are taken, and takes them back once', () => {
    let less = 0;
    const admission = new Admission(3, () => {
      less += 1;
    });
    const first = admission.enter();
    first.grow(3);
    expect(admission.taken).toBe(3);
    expect(() => admission.enter()).toThrow(QueueFull);
    first.leave();
    const second = admission.enter();
    expect(() => second.grow(2)).toThrow(QueueFull);
    expect(() => second.grow(4)).toThrow(TooManyPictures);
    expect(admission.taken).toBe(3);
    for (const ticket of [first, second, first]) ticket[Symbol.dispose]();
    first.leave();
    expect([admission.taken, less]).toEqual([0, 3]);
  });
});
