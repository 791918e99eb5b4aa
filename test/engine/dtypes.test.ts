/** Every op with every dtype: refused when it is called, or run by ONNX Runtime as the evaluator says. */
import { expect, test } from 'vitest';
import { type DType, dtypes, isFloat } from '../../src/engine/graph/dtype.ts';
import { GraphError, input, makeNode, type NodeOf } from '../../src/engine/graph/graph.ts';
import type { OpName } from '../../src/engine/graph/op-names.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import './allclose.ts';
import { type CaseWith, cases } from './cases.ts';
import { type Dense, toDense, toTensor, wrap } from './dense.ts';
import { evaluate } from './evaluator.ts';

const all = Object.keys(dtypes) as DType[];
const half = { relative: 4e-3, absolute: 4e-3 };
const single = { relative: 1e-4, absolute: 1e-5 };

/** The case's data in another dtype: whole numbers other than 0 for integers, signs for bool. */
function converted(x: Dense, dtype: DType): Dense {
  const element = (v: number): number => {
    if (isFloat(dtype)) return v;
    if (!isFloat(x.dtype)) return wrap(dtype, v);
    if (dtype === 'bool') return v > 0 ? 1 : 0;
    const whole = Number.isFinite(v) ? Math.round(v * 3) || 1 : 1;
    return dtype === 'u8' ? Math.abs(whole) : whole;
  };
  return toDense(toTensor({ ...x, dtype, data: x.data.map(element) }));
}

/** The first input (where's second) and all of its dtype, changed to another. */
function inDType(op: OpName, inputs: readonly Dense[], dtype: DType): Dense[] {
  const main = inputs[op === 'where' ? 1 : 0].dtype;
  return inputs.map((x) => (x.dtype === main ? converted(x, dtype) : x));
}

async function check(node: NodeOf<OpName>, inputs: readonly Dense[]): Promise<void> {
  const feeds = Object.fromEntries(inputs.map((x, i) => [`x${i}`, x]));
  const outputs = Object.fromEntries(node.outputs.map((value, i) => [`y${i}`, value]));
  using session = await Session.open(outputs, { threads: 1 });
  const fed = [...session.inputs.keys()].map((name) => [name, toTensor(feeds[name])]);
  const results = await session.run(Object.fromEntries(fed));
  const wide = inputs.some((x) => x.dtype === 'f16') ? half : single;
  for (const [i, expected] of evaluate(node.outputs, feeds).entries())
    expect(toDense(results[`y${i}`])).toBeAllclose(expected, wide);
}

/** The op's accepted dtypes, each of them run. */
async function accepted(op: OpName): Promise<DType[]> {
  const found = new Set<DType>();
  for (const one of cases[op] as readonly CaseWith<never>[]) {
    if (one.inputs.length === 0 || one.inputs[0].data.length === 0) continue;
    for (const dtype of all) {
      const inputs = inDType(op, one.inputs, dtype);
      const values = inputs.map((x, i) => input(`x${i}`, x.dtype, x.shape));
      let node: NodeOf<OpName>;
      try {
        node = makeNode(op, values, one.attributes, accepted);
      } catch (error) {
        expect(error).toBeInstanceOf(GraphError);
        continue;
      }
      await check(node, inputs);
      found.add(dtype);
    }
  }
  return all.filter((dtype) => found.has(dtype));
}

test('accepted dtypes run, all others are refused by the op', async () => {
  const lines: string[] = [];
  for (const op of Object.keys(cases) as OpName[]) {
    const list = await accepted(op);
    if (list.length > 0) lines.push(`${op}: ${list.join(' ')}`);
  }
  expect(lines.join('\n')).toMatchInlineSnapshot(`
    "neg: f32 f16 i64 i32 i8
    abs: f32 f16 i64 i32 i8 u8
    exp: f32 f16
    log: f32 f16
    sqrt: f32 f16
    reciprocal: f32 f16
    erf: f32 f16
    tanh: f32 f16
    sigmoid: f32 f16
    relu: f32 f16
    gelu: f32 f16
    softplus: f32 f16
    sign: f32 f16 i64 i32 i8 u8
    floor: f32 f16
    round: f32 f16
    sin: f32 f16
    cos: f32 f16
    clip: f32 f16 i64 i32 i8 u8
    not: bool
    isFinite: f32 f16
    cast: f32 f16 i64 i32 i8 u8 bool
    stopGradient: f32 f16 i64 i32 i8 u8 bool
    add: f32 f16 i64 i32 i8 u8
    sub: f32 f16 i64 i32 i8 u8
    mul: f32 f16 i64 i32 i8 u8
    div: f32 f16 i64 i32 i8 u8
    pow: f32 f16
    minimum: f32 f16 i64 i32 i8 u8
    maximum: f32 f16 i64 i32 i8 u8
    equal: f32 f16 i64 i32 i8 u8 bool
    less: f32 f16 i64 i32 i8 u8
    lessOrEqual: f32 f16 i64 i32 i8 u8
    greater: f32 f16 i64 i32 i8 u8
    greaterOrEqual: f32 f16 i64 i32 i8 u8
    and: bool
    or: bool
    where: f32 f16 i64 i32 u8
    bitwiseAnd: i32
    bitwiseXor: i32
    shiftRight: i32
    matmul: f32 f16
    reduceSum: f32 f16 i64 i32
    reduceMean: f32 f16
    reduceMax: f32 f16 i64 i32 i8 u8
    reduceMin: f32 f16 i64 i32 i8 u8
    argMax: f32 f16 i64 i32 i8 u8
    softmax: f32 f16
    logSoftmax: f32 f16
    layerNorm: f32 f16
    cumulativeSum: f32 f16 i64 i32
    topK: f32 f16 i64 i32 i8 u8
    reshape: f32 f16 i64 i32 i8 u8 bool
    transpose: f32 f16 i64 i32 i8 u8 bool
    expand: f32 f16 i64 i32 i8 u8 bool
    slice: f32 f16 i64 i32 i8 u8 bool
    split: f32 f16 i64 i32 i8 u8 bool
    concat: f32 f16 i64 i32 i8 u8 bool
    pad: f32 f16 i64 i32 i8 u8 bool
    gather: f32 f16 i64 i32 i8 u8 bool
    gatherElements: f32 f16 i64 i32 i8 u8 bool
    scatterAddElements: f32 f16 i64 i32 i8 u8
    oneHot: i64 i32
    conv2d: f32 f16
    conv2dInputGradient: f32 f16
    conv2dWeightGradient: f32 f16
    averagePool2d: f32 f16
    averagePool2dGradient: f32 f16
    dynamicQuantizeMatmul: f32
    blockQuantizedMatmul: f32
    quantizeLinear: f32
    dequantizeLinear: i8"
  `);
});
