/** Where the tasks of a corpus run: in this thread, or wherever a caller has more (see src/score/pool.ts). */

/** What does the work; the same object in a worker and in this thread. */
export interface TaskHandler<Setup, Task, Result> {
  /** Called before the tasks it concerns, once or several times. */
  setUp(setup: Setup): Promise<void>;
  run(task: Task): Result;
  /** Buffers of a result that are handed over instead of copied. */
  transfers(result: Result): ArrayBuffer[];
}

/** Where tasks run. */
export interface Runner<Setup, Task, Result> {
  /** Gives all workers the same setup; tasks mapped later see it. */
  setUp(setup: Setup): Promise<void>;
  /** Results in the order of `tasks`, which are taken one by one as workers get free. */
  map(
    tasks: Iterable<Task>,
    transfers: (task: Task) => ArrayBuffer[],
  ): AsyncGenerator<Result, void, undefined>;
  close(): Promise<void>;
}

/** Lets signals and timers have their turn. */
export function breathe(): Promise<void> {
  // Browsers have no setImmediate; their timers wait some milliseconds.
  const soon = typeof setImmediate === 'function' ? setImmediate : setTimeout;
  return new Promise((resolve) => {
    soon(resolve);
  });
}

/** A runner in this thread, for work too small to start threads for. */
export function localRunner<Setup, Task, Result>(
  handler: TaskHandler<Setup, Task, Result>,
): Runner<Setup, Task, Result> {
  return {
    setUp: (setup) => handler.setUp(setup),
    async *map(tasks) {
      for (const task of tasks) {
        yield handler.run(task);
        await breathe();
      }
    },
    close: async () => {},
  };
}
