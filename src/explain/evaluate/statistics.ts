/** Numbers of the evaluation: means of images with intervals, rank correlation, areas under curves. */
import { createRandom } from '../../base/random.ts';
import {
  bootstrapIntervals,
  compareSystems,
  type Difference,
  type Interval,
  quantile,
} from '../../metrics/bootstrap.ts';

/** What an image adds to a mean: a sum and how many it is of. */
export interface Share {
  readonly sum: number;
  readonly count: number;
}

export interface Estimate extends Interval {
  readonly mean: number;
}

export const resamples = 2000;

/** The mean over all that the images hold, with a 95 % interval over images. */
export function estimate(shares: readonly Share[], seed: number): Estimate {
  const [interval] = bootstrapIntervals(table(shares), ratio, options(seed));
  const [mean] = ratio(
    Float64Array.of(
      shares.reduce((sum, share) => sum + share.sum, 0),
      shares.reduce((sum, share) => sum + share.count, 0),
    ),
  );
  return { mean, ...interval };
}

/** The second's mean less the first's, over the same images: paired interval and p-value. */
export function difference(
  first: readonly Share[],
  second: readonly Share[],
  seed: number,
): Difference {
  return compareSystems(table(first), table(second), ratio, options(seed))[0];
}

function table(shares: readonly Share[]): { values: Float64Array; width: number } {
  return { values: Float64Array.from(shares.flatMap(({ sum, count }) => [sum, count])), width: 2 };
}

function ratio([sum, count]: Float64Array): number[] {
  return [count > 0 ? sum / count : 0];
}

function options(seed: number): { resamples: number; confidence: number; random: () => number } {
  const random = createRandom(seed);
  return { resamples, confidence: 0.95, random: () => random.next() };
}

/** Spearman's rank correlation; equal values share their mean rank. 0 where one side is all the same. */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [ranks(a), ranks(b)];
  const middle = (x.length - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i] - middle) * (y[i] - middle);
    xx += (x[i] - middle) ** 2;
    yy += (y[i] - middle) ** 2;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
  const result = new Float64Array(order.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) result[order[i]] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}

/**
 * The area under the ROC curve: how often a case that is one scores above a case that is none (half where equal).
 * NaN where all are alike.
 */
export function areaUnderRoc(scores: readonly number[], isOne: readonly boolean[]): number {
  const order = ranks(scores);
  const ones = isOne.filter(Boolean).length;
  const others = isOne.length - ones;
  let sum = 0;
  for (const [i, one] of isOne.entries()) if (one) sum += order[i] + 1;
  return (sum - (ones * (ones + 1)) / 2) / (ones * others);
}

/** A statistic with a 95 % interval by resampling the images. @param of the chosen images, perhaps more than once */
export function resampled(
  images: number,
  of: (chosen: readonly number[]) => number,
  seed: number,
): Estimate {
  const random = createRandom(seed);
  const found: number[] = [];
  for (let draw = 0; draw < resamples / 2; draw++) {
    const value = of(Array.from({ length: images }, () => random.integer(images)));
    if (Number.isFinite(value)) found.push(value);
  }
  const sorted = Float64Array.from(found).sort();
  return {
    mean: of(Array.from({ length: images }, (_, i) => i)),
    low: quantile(sorted, 0.025),
    high: quantile(sorted, 0.975),
  };
}
