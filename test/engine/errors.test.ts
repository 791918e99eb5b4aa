/** Errors of the graph builder: each names the op, the dtypes and both shapes, and points at the caller's line. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { constant, GraphError, input, parameter } from '../../src/engine/graph/graph.ts';
import * as ops from '../../src/engine/graph/ops.ts';

const x = input('x', 'f32', ['batch', 3]);
const y = input('y', 'f32', ['batch', 4]);
const image = input('image', 'f32', ['batch', 3, 8, 8]);
const ids = input('ids', 'i32', ['batch']);
const mask = input('mask', 'bool', ['batch', 3]);

const wrong: readonly (readonly [string, () => unknown, string])[] = [
  [
    'add',
    () => ops.add(x, y),
    'add(f32[batch, 3], f32[batch, 4]): shapes [batch, 3] and [batch, 4] do not broadcast',
  ],
  [
    'dtype',
    () => ops.mul(x, ids),
    'mul(f32[batch, 3], i32[batch]): dtypes differ: f32 and i32; cast one',
  ],
  ['number', () => ops.add(ids, 0.5), 'the number 0.5 is no i32; cast the other operand'],
  [
    'where',
    () => ops.where(x, x, y),
    'where(f32[batch, 3], f32[batch, 3], f32[batch, 4]): the condition must be bool, not f32',
  ],
  [
    'where of bool',
    () => ops.where(mask, mask, mask),
    'where(bool[batch, 3], bool[batch, 3], bool[batch, 3]): needs f32, f16, i64, i32 or u8, not bool; cast it',
  ],
  [
    'less of bool',
    () => ops.less(mask, mask),
    'less(bool[batch, 3], bool[batch, 3]): needs numbers, not bool',
  ],
  [
    'matmul',
    () => ops.matmul(x, y),
    'matmul(f32[batch, 3], f32[batch, 4]): inner dimensions differ: 3 and batch',
  ],
  ['unary', () => ops.exp(ids), 'exp(i32[batch]): needs floating point, not i32'],
  [
    'square',
    () => ops.square(mask),
    'mul(bool[batch, 3], bool[batch, 3]): needs numbers, not bool',
  ],
  [
    'axis',
    () => ops.softmax(x, 2),
    'softmax(f32[batch, 3]): axis 2 is outside a tensor of 2 dimensions',
  ],
  [
    'axis from the end',
    () => ops.softmax(image, -5),
    'softmax(f32[batch, 3, 8, 8]): axis -5 is outside a tensor of 4 dimensions',
  ],
  ['axes', () => ops.reduceSum(x, [0, -2]), 'reduceSum(f32[batch, 3]): names an axis twice: 0, 0'],
  [
    'reduction of i8',
    () => ops.reduceSum(ops.cast(x, 'i8')),
    'reduceSum(i8[batch, 3]): needs f32, f16, i64 or i32, not i8; cast it',
  ],
  [
    'reshape',
    () => ops.reshape(x, [5, 3]),
    'reshape(f32[batch, 3]): 3*batch elements do not fill [5, 3]',
  ],
  [
    'reshape with -1',
    () => ops.reshape(x, [-1, 2]),
    'reshape(f32[batch, 3]): 3*batch elements do not fill [-1, 2]',
  ],
  [
    'transpose',
    () => ops.transpose(x, [0, 0]),
    'transpose(f32[batch, 3]): [0, 0] is no permutation of 2 dimensions',
  ],
  [
    'expand',
    () => ops.expand(x, ['batch', 4]),
    'expand(f32[batch, 3]): cannot be expanded to [batch, 4]',
  ],
  ['slice', () => ops.slice(x, 1, 1, 5), 'slice(f32[batch, 3]): end 5 lies outside axis 1 of 3'],
  [
    'slice axis',
    () => ops.slice(x, 4, -1, 5),
    'slice(f32[batch, 3]): axis 4 is outside a tensor of 2 dimensions',
  ],
  [
    'concat',
    () => ops.concat([x, y], 0),
    'concat(f32[batch, 3], f32[batch, 4]): shapes may differ along axis 0 alone',
  ],
  ['split', () => ops.split(x, 1, 2), 'split(f32[batch, 3]): parts of 1.5 + 1.5 do not make 3'],
  ['pad', () => ops.pad(ids, [1], [0], 0.5), 'pad(i32[batch]): the value 0.5 is no i32'],
  [
    'pad below 0',
    () => ops.pad(ids, [-1], [1]),
    'pad(i32[batch]): adds copies, whole numbers of at least 0, not -1 and 1; take parts away with slice',
  ],
  [
    'clip',
    () => ops.clip(ids, Number.NEGATIVE_INFINITY, 3),
    'clip(i32[batch]): the min -Infinity is no i32',
  ],
  [
    'gather',
    () => ops.gather(x, y),
    'gather(f32[batch, 3], f32[batch, 4]): indices must be i32 or i64, not f32',
  ],
  ['topK', () => ops.topK(x, 4), 'topK(f32[batch, 3]): cannot take 4 of 3'],
  [
    'layerNorm',
    () => ops.layerNorm(x, ids, ids),
    'layerNorm(f32[batch, 3], i32[batch], i32[batch]): dtypes differ: f32 and i32 and i32; cast one',
  ],
  [
    'conv2d',
    () => ops.conv2d(image, parameter('k', [4, 2, 3, 3])),
    'conv2d(f32[batch, 3, 8, 8], f32[4, 2, 3, 3]): 1 groups of 2 channels do not fit 3 inputs and 4 outputs',
  ],
  [
    'kernel',
    () => ops.conv2d(image, parameter('k', [4, 3, 9, 9])),
    'conv2d(f32[batch, 3, 8, 8], f32[4, 3, 9, 9]): a kernel of 9 does not fit into 8',
  ],
  [
    'pool',
    () => ops.averagePool2d(image, [2, 2], { pads: [2, 0, 0, 0] }),
    'averagePool2d(f32[batch, 3, 8, 8]): pads [2,0,0,0] must be smaller than the kernel [2,2]',
  ],
  [
    'stride',
    () => ops.conv2d(image, parameter('k', [4, 3, 2, 2]), { strides: [0, 1] }),
    'strides [0,1] must be whole numbers from 1 on',
  ],
  [
    'input',
    () => input('z', 'f32', ['two words']),
    "input(): 'two words' is not a dimension: use names joined by + and *",
  ],
  ['parameter', () => parameter('z', [-2]), 'parameter(): -2 is not a dimension'],
  [
    'constant',
    () => constant('f32', [2], new Float32Array(3)),
    'constant(): 3 elements do not fill [2]',
  ],
  ['full', () => ops.full([2], 300, 'u8'), 'full(): the value 300 is no u8'],
];

test.each(wrong)('%s', (_, build, message) => {
  let caught: unknown;
  try {
    build();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(GraphError);
  expect(caught).toBeInstanceOf(InputError);
  const { message: text, stack = '' } = caught as GraphError;
  expect(text).toContain(message);
  expect(text).not.toContain('\n');
  // The first line of the stack is in this file, not in the engine.
  const [first] = stack.slice(stack.indexOf('    at ')).split('\n');
  expect(first).toContain(fileURLToPath(import.meta.url));
});
