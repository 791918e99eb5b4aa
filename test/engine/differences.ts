/** Derivatives by central differences in f64, to check gradients against. */
import type { Value } from '../../src/engine/graph/graph.ts';
import type { Dense } from './dense.ts';
import { evaluate } from './evaluator.ts';

/** Elements of a large input that are moved; the others are left to the comparison with PyTorch. */
const sampled = 24;

/**
 * The gradient of a scalar with respect to one fed input, by central differences of fourth order,
 * (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h. Elements that are not sampled are taken from `result`.
 */
export function centralDifferences(
  result: Dense,
  scalar: Value,
  feeds: Readonly<Record<string, Dense>>,
  name: string,
  step = 1e-3,
): Dense {
  const x = feeds[name];
  const every = Math.ceil(x.data.length / sampled);
  const data = Float64Array.from(x.data, (center, i) => {
    if (i % every !== 0) return result.data[i];
    const f = (h: number): number => {
      const moved = { ...x, data: x.data.with(i, center + h) };
      return evaluate([scalar], { ...feeds, [name]: moved })[0].data[0];
    };
    return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step);
  });
  return { ...x, data };
}
