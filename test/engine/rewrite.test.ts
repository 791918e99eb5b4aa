/** The same graph with other values in the place of some. */
import { expect, it } from 'vitest';
import { input, parameter } from '../../src/engine/graph/graph.ts';
import { add, mul, split } from '../../src/engine/graph/ops.ts';
import { rewrite } from '../../src/engine/graph/rewrite.ts';

const x = input('x', 'f32', ['n', 4]);

it('puts values in the place of others, wherever those are read', () => {
  const w = parameter('w', [4]);
  const sum = add(x, w);
  const made = rewrite({ sum, product: mul(sum, w) }, ({ op }) =>
    op === 'parameter' ? [parameter('v', [4])] : undefined,
  );
  expect(made.sum.node.inputs[1].node.attributes).toMatchObject({ name: 'v' });
  expect(made.product.node.inputs[0]).toBe(made.sum);
  expect(made.product.node.inputs[1]).toBe(made.sum.node.inputs[1]);
});

it('keeps what does not change, and which output of several is read', () => {
  const [, second] = split(x, 1, 2);
  const kept = mul(x, 2);
  const made = rewrite({ kept, second: mul(second, 3) }, () => undefined);
  expect(made.kept).toBe(kept);
  const moved = rewrite({ second: mul(second, 3) }, ({ op }) =>
    op === 'input' ? [input('y', 'f32', ['n', 4])] : undefined,
  );
  expect(moved.second.node.inputs[0].output).toBe(1);
  expect(moved.second.node.inputs[0].node.inputs[0].node.attributes).toMatchObject({ name: 'y' });
});
