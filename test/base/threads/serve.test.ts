/** The thread's side alone; what it answers is in client.test.ts. */
import { expect, it } from 'vitest';
import { serve } from '../../../src/base/threads/serve.ts';

it('is refused outside of a thread', () => {
  expect(() => serve({})).toThrow('in a worker thread only');
});
