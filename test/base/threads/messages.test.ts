/** Errors as they travel between threads. */
import { expect, it } from 'vitest';
import { InputError, UsageError } from '../../../src/base/errors.ts';
import { revive, sendable } from '../../../src/base/threads/messages.ts';

it('keeps what an error is, its sentence and its trace', () => {
  for (const error of [new UsageError('a'), new InputError('b'), new RangeError('c')]) {
    const copy = revive(structuredClone(sendable(error)));
    expect(copy.message).toBe(error.message);
    expect(copy instanceof InputError).toBe(error instanceof InputError);
    expect(copy instanceof UsageError).toBe(error instanceof UsageError);
  }
  const fault = new RangeError('c');
  expect(revive(sendable(fault)).stack).toBe(fault.stack);
  expect(revive(sendable('thrown text')).message).toBe('thrown text');
});
