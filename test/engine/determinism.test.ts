/** Gradients that add into repeated places give the same bits in every run, with any number of threads. */
import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { gradients } from '../../src/engine/graph/gradient.ts';
import { input, parameter } from '../../src/engine/graph/graph.ts';
import { gather, mul, reduceSum, sin } from '../../src/engine/graph/ops.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';

const [rows, width, tokens] = [300, 64, 4000];

test('the embedding gradient of repeated tokens is the same to the bit, run by run', async () => {
  const random = createRandom(7);
  const [table, ids] = [parameter('table', [rows, width]), input('ids', 'i32', ['n'])];
  const weights = input('weights', 'f32', ['n', width]);
  const [dTable] = gradients(reduceSum(mul(sin(gather(table, ids)), weights)), [table]);
  const feeds = {
    table: tensor('f32', [rows, width], Float32Array.from({ length: rows * width }, random.normal)),
    // Ten tokens stand for most places, so that each row adds hundreds of gradients.
    ids: tensor(
      'i32',
      [tokens],
      Int32Array.from({ length: tokens }, () => random.integer(10)),
    ),
    weights: tensor(
      'f32',
      [tokens, width],
      Float32Array.from(
        { length: tokens * width },
        () => random.normal() * 10 ** random.integer(5),
      ),
    ),
  };
  let first: Uint32Array | undefined;
  for (const threads of [1, 2, 1, 2]) {
    using session = await Session.open({ dTable }, { threads });
    for (let run = 0; run < 25; run++) {
      const { data } = (await session.run(feeds)).dTable;
      const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
      first ??= bits.slice();
      expect(Buffer.compare(Buffer.from(bits.buffer), Buffer.from(first.buffer))).toBe(0);
    }
  }
});
