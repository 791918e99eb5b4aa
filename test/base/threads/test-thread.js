/** A thread for the tests: what can be asked of it goes right or wrong in every way. */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { InputError, UsageError } from '../../../dist/base/errors.js';
import { serve } from '../../../dist/base/threads/serve.js';

let name = 'nobody';
let numbers = new Float32Array();

serve({
  name: async (given) => {
    if (given === '') throw new InputError('a thread needs a name.');
    name = given;
  },
  whoAreYou: async () => name,
  double: async (values) => values.map((value) => 2 * value),
  length: async (bytes) => bytes.length,
  numbers: async (count, { handOver }) => {
    numbers = Float32Array.from({ length: count }, (_, i) => i);
    handOver(numbers.buffer);
    return numbers;
  },
  numbersLeft: async () => numbers.length,
  count: async (to, { signal, emit }) => {
    for (let i = 0; i < to; i++) {
      signal.throwIfAborted();
      emit(i);
      await turn();
    }
    return to;
  },
  wait: async (milliseconds, { signal }) => {
    await sleep(milliseconds, undefined, { signal });
    return name;
  },
  fail: async (kind) => {
    if (kind === 'usage') throw new UsageError('--wrong.');
    if (kind === 'input') throw new InputError('a file is wrong.');
    throw new TypeError('a fault of the program');
  },
  exit: async (code) => process.exit(code),
  throwLater: async () => {
    setTimeout(() => {
      throw new Error('out of nowhere');
    });
    return sleep(10_000);
  },
  fill: async () => {
    const kept = [];
    for (;;) kept.push(new Array(1e6).fill({}));
  },
  functionResult: async () => () => 1,
});
