/** ONNX Runtime really computes marked blocks again: the peak memory of a deep stack falls. */
import { expect, test } from 'vitest';
import { runProgram } from './child.ts';

test('marked blocks need less than half the memory', async () => {
  const plain = await runProgram<{ bytes: number }>('checkpoint-memory.ts', ['plain']);
  const marked = await runProgram<{ bytes: number }>('checkpoint-memory.ts', ['marked']);
  expect(marked.bytes).toBeLessThan(plain.bytes / 2);
});
