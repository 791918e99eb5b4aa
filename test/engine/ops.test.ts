/** Every op: forward, gradient and second gradient against PyTorch and central differences; ONNX Runtime against the evaluator. */
import { describe, expect, test } from 'vitest';
import { isFloat } from '../../src/engine/graph/dtype.ts';
import { gradients } from '../../src/engine/graph/gradient.ts';
import { gradientRules } from '../../src/engine/graph/gradient-rules.ts';
import { GraphError, type Value } from '../../src/engine/graph/graph.ts';
import type { OpName } from '../../src/engine/graph/op-names.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import './allclose.ts';
import { buildCase, type CaseGraph, weightedSum } from './case-graph.ts';
import { type Case, cases } from './cases.ts';
import { toDense, toTensor } from './dense.ts';
import { centralDifferences } from './differences.ts';
import { evaluate } from './evaluator.ts';
import { toJson } from './json.ts';
import { asDense, references } from './references.ts';

const exact = { relative: 1e-12, absolute: 1e-12 };
/** Constants in gradient rules are f32: their share of error is 6e-8 each. */
const byDifferences = { relative: 1e-6, absolute: 1e-8 };
const single = { relative: 1e-4, absolute: 1e-5 };

const names = Object.keys(cases) as OpName[];

/** The float inputs, and the gradients of the weighted sum of the outputs. */
function differentiated({ inputs, outputs }: CaseGraph): {
  targets: Value[];
  loss: Value;
  made: Value[];
} {
  const targets = inputs.filter((value) => isFloat(value.dtype));
  const loss = weightedSum(outputs);
  return { targets, loss, made: gradients(loss, targets) };
}

describe.each(names)('%s', (op) => {
  const graphs = cases[op].map((one) => buildCase(op, one as Case<typeof op>));
  const isDifferentiable = (graph: CaseGraph): boolean =>
    gradientRules[op] !== null &&
    graph.inputs.some((value) => isFloat(value.dtype)) &&
    graph.outputs.some((value) => isFloat(value.dtype));
  const differentiable = graphs.flatMap((graph, i) =>
    isDifferentiable(graph) ? [{ graph, i, kink: cases[op][i].kink === true }] : [],
  );

  test('forward equals PyTorch', () => {
    expect(references[op].length, 'references').toBe(graphs.length);
    for (const [i, graph] of graphs.entries()) {
      const reference = references[op][i];
      expect(JSON.parse(toJson(cases[op][i].attributes))).toEqual(reference.attributes);
      for (const [k, x] of Object.values(graph.feeds).entries())
        expect(x).toBeAllclose(asDense(reference.inputs[k], reference.inputs[k].dtype), exact);
      const results = evaluate(graph.outputs, graph.feeds);
      for (const [k, result] of results.entries())
        expect(result).toBeAllclose(asDense(reference.outputs[k], result.dtype), exact);
    }
  });

  if (differentiable.length > 0)
    test('gradient equals PyTorch and central differences', () => {
      for (const { graph, i, kink } of differentiable) {
        const { targets, loss, made } = differentiated(graph);
        const results = evaluate(made, graph.feeds);
        for (const [k, result] of results.entries()) {
          const reference = references[op][i].gradients;
          if (reference)
            expect(result).toBeAllclose(asDense(reference[k], result.dtype), byDifferences);
          if (kink) continue;
          const { op: leaf, attributes } = targets[k].node;
          const name = leaf === 'input' ? attributes.name : '';
          const expected = centralDifferences(result, loss, graph.feeds, name);
          expect(result).toBeAllclose(expected, byDifferences);
        }
      }
    });

  if (differentiable.length > 0)
    test('second gradient equals central differences', () => {
      for (const { graph, kink } of differentiable) {
        if (kink) continue;
        const { targets, made } = differentiated(graph);
        const loss = weightedSum(made);
        const results = evaluate(gradients(loss, targets), graph.feeds);
        for (const [k, result] of results.entries()) {
          const { op: leaf, attributes } = targets[k].node;
          const name = leaf === 'input' ? attributes.name : '';
          const expected = centralDifferences(result, loss, graph.feeds, name);
          expect(result).toBeAllclose(expected, byDifferences);
        }
      }
    });

  // Of floats made of floats: gradients stop at other values by themselves.
  const refused = graphs.filter(
    ({ inputs, outputs }) =>
      gradientRules[op] === null &&
      inputs.some((value) => isFloat(value.dtype)) &&
      outputs.some((value) => isFloat(value.dtype)),
  );
  if (refused.length > 0)
    test('has no gradient and says so', () => {
      for (const { inputs, outputs } of refused) {
        const targets = inputs.filter((value) => isFloat(value.dtype));
        expect(() => gradients(weightedSum(outputs), targets)).toThrow(GraphError);
      }
    });

  test('ONNX Runtime equals the evaluator, forward and gradient', async () => {
    for (const graph of graphs) {
      const made = isDifferentiable(graph) ? differentiated(graph).made : [];
      const values = [...graph.outputs, ...made];
      const expected = evaluate(values, graph.feeds);
      const named = Object.fromEntries(values.map((value, k) => [`y${k}`, value]));
      using session = await Session.open(named, { threads: 1 });
      const feeds = [...session.inputs.keys()].map((name) => [name, toTensor(graph.feeds[name])]);
      const results = await session.run(Object.fromEntries(feeds));
      for (const [k, value] of expected.entries())
        expect(toDense(results[`y${k}`])).toBeAllclose(value, single);
    }
  });
});
