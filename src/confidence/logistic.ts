/** Logistic regression whose weights are none below 0, so that more of a feature never means less confidence. Pure. */

/** p = sigmoid(weights . features + shift). */
export interface LogisticMap {
  readonly weights: readonly number[];
  readonly shift: number;
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

export function mapProbability(
  { weights, shift }: LogisticMap,
  features: readonly number[],
): number {
  return sigmoid(features.reduce((sum, x, i) => sum + weights[i] * x, shift));
}

/** Weight of the squared weights, of features at unit variance. */
const ridge = 1;

/**
 * The map of largest likelihood, by Newton's method with a little ridge. A feature whose weight would be below 0 is left
 * out (weight 0), the one furthest below first.
 * @param rows features of each example, as many in each
 */
export function fitLogistic(
  rows: readonly (readonly number[])[],
  right: readonly boolean[],
): LogisticMap {
  const width = rows[0]?.length ?? 0;
  const scales = Array.from({ length: width }, (_, i) => spread(rows.map((row) => row[i])));
  // What never varies tells nothing.
  let used = scales.flatMap(({ deviation }, i) => (deviation > 1e-9 ? [i] : []));
  for (;;) {
    const scaled = rows.map((row) => [
      ...used.map((i) => (row[i] - scales[i].mean) / scales[i].deviation),
      1,
    ]);
    const found = newton(scaled, right);
    const slopes = found.slice(0, -1);
    const least = Math.min(0, ...slopes);
    if (least < 0) {
      used = used.filter((_, k) => slopes[k] > least);
      continue;
    }
    const weights = scales.map(({ deviation }, i) => {
      const k = used.indexOf(i);
      return k < 0 ? 0 : slopes[k] / deviation;
    });
    const moved = weights.reduce((sum, weight, i) => sum + weight * scales[i].mean, 0);
    return { weights, shift: found[found.length - 1] - moved };
  }
}

function spread(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** @param rows features with a 1 at the end, whose weight is not held small */
function newton(rows: readonly (readonly number[])[], right: readonly boolean[]): number[] {
  const width = rows[0].length;
  let at = new Array<number>(width).fill(0);
  let loss = lossOf(at, rows, right);
  for (let round = 0; round < 100; round++) {
    const step = newtonStep(at, rows, right);
    // A whole step may go too far; a part of it always leads down.
    let share = 1;
    let next = at;
    let reached = loss;
    for (; share > 1e-6; share /= 2) {
      next = at.map((x, i) => x - share * step[i]);
      reached = lossOf(next, rows, right);
      if (reached <= loss) break;
    }
    if (!(reached < loss - 1e-12)) break;
    at = next;
    loss = reached;
  }
  return at;
}

const score = (at: readonly number[], row: readonly number[]): number =>
  row.reduce((sum, x, i) => sum + at[i] * x, 0);

function lossOf(
  at: readonly number[],
  rows: readonly (readonly number[])[],
  right: readonly boolean[],
): number {
  const held = at.slice(0, -1).reduce((sum, x) => sum + x * x, 0);
  return rows.reduce(
    (sum, row, n) => {
      const x = score(at, row);
      // log(1 + exp(x)) - x where it is right, without overflow.
      return sum + Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - (right[n] ? x : 0);
    },
    (ridge / 2) * held,
  );
}

/** The inverse of the second derivatives times the first ones. */
function newtonStep(
  at: readonly number[],
  rows: readonly (readonly number[])[],
  right: readonly boolean[],
): number[] {
  const width = at.length;
  const gradient = at.map((x, i) => (i < width - 1 ? ridge * x : 0));
  const second = at.map((_, i) => at.map((_, j) => (i === j && i < width - 1 ? ridge : 0)));
  for (const [n, row] of rows.entries()) {
    const p = sigmoid(score(at, row));
    const error = p - (right[n] ? 1 : 0);
    const weight = p * (1 - p);
    for (let i = 0; i < width; i++) {
      gradient[i] += error * row[i];
      for (let j = 0; j < width; j++) second[i][j] += weight * row[i] * row[j];
    }
  }
  // All right or all wrong: the last derivative may vanish.
  second[width - 1][width - 1] += 1e-9;
  return solve(second, gradient);
}

/** x of A x = b, by elimination with pivots. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const size = right.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column + 1; i < size; i++)
      if (Math.abs(rows[i][column]) > Math.abs(rows[pivot][column])) pivot = i;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let i = 0; i < size; i++) {
      if (i === column) continue;
      const factor = rows[i][column] / rows[column][column];
      for (let j = column; j <= size; j++) rows[i][j] -= factor * rows[column][j];
    }
  }
  return rows.map((row, i) => row[size] / row[i]);
}
