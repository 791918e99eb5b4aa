/** Where a thread's module is. */
import { expect, it } from 'vitest';
import { threadModule } from '../../../src/base/threads/module.ts';

it('is the built file, also for a caller that runs as TypeScript', () => {
  const url = (from: string) => threadModule('worker', from).href;
  expect(url('file:///a/src/b/dist/score/threads.js')).toBe('file:///a/src/b/dist/score/worker.js');
  expect(url('file:///a/src/score/threads.ts')).toBe('file:///a/dist/score/worker.js');
  expect(url('file:///src/a/src/score/threads.ts')).toBe('file:///src/a/dist/score/worker.js');
});
