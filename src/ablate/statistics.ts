/** Statistics of an ablation: means over seeds, and paired differences over seeds and images. Pure. */
import { type Interval, quantile } from '../metrics/bootstrap.ts';

/** A mean over seeds, with the sample standard deviation (n - 1) where there are two or more. */
export interface Spread {
  readonly mean: number;
  readonly deviation?: number;
}

/** A mean difference over seeds and images, with what is known of its chance. */
export interface PairedDifference extends Interval {
  readonly difference: number;
  /** Two-sided; of the images alone. */
  readonly pValue: number;
}

export interface ResamplingOptions {
  readonly resamples: number;
  /** Such as 0.95. */
  readonly confidence: number;
  /** Uniform in [0, 1): the only source of chance. */
  readonly random: () => number;
}

/** @throws RangeError for no values */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('a mean of no values');
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/**
 * The mean of `differences` [seeds][images], each of one score of one image under one seed, with the
 * interval of the two-level bootstrap and the p-value of approximate randomization over images.
 */
export function pairedDifference(
  differences: readonly Float64Array[],
  options: ResamplingOptions,
): PairedDifference {
  const images = meanOverSeeds(differences);
  return {
    difference: images.reduce((sum, value) => sum + value, 0) / images.length,
    ...twoLevelBootstrap(differences, options),
    pValue: randomizationTest(images, options),
  };
}

/**
 * Percentile interval of the mean of `differences` [seeds][images]. Each resample draws seeds with
 * replacement and, for all of them, the same images with replacement, since images are crossed with
 * seeds, not nested in them (Davison and Hinkley 1997, section 3.8; Owen 2007, "The pigeonhole bootstrap").
 */
export function twoLevelBootstrap(
  differences: readonly Float64Array[],
  { resamples, confidence, random }: ResamplingOptions,
): Interval {
  const seeds = differences.length;
  const images = differences[0].length;
  const means = new Float64Array(resamples);
  const times = new Uint32Array(images);
  const drawn = new Uint32Array(seeds);
  for (let r = 0; r < resamples; r++) {
    drawn.fill(0);
    times.fill(0);
    for (let i = 0; i < seeds; i++) drawn[Math.floor(random() * seeds)]++;
    for (let i = 0; i < images; i++) times[Math.floor(random() * images)]++;
    let sum = 0;
    for (let s = 0; s < seeds; s++) {
      if (drawn[s] === 0) continue;
      let ofSeed = 0;
      for (let i = 0; i < images; i++) ofSeed += times[i] * differences[s][i];
      sum += drawn[s] * ofSeed;
    }
    means[r] = sum / (seeds * images);
  }
  means.sort();
  const tail = (1 - confidence) / 2;
  return { low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

/**
 * Two-sided p-value of approximate randomization (Riezler and Maxwell 2005): under the hypothesis of
 * no difference an image's two scores could be swapped, which turns the sign of its difference.
 * Counted as (1 + as extreme) / (1 + resamples), so it is never 0.
 */
export function randomizationTest(
  differences: Float64Array,
  { resamples, random }: Pick<ResamplingOptions, 'resamples' | 'random'>,
): number {
  const observed = Math.abs(differences.reduce((sum, value) => sum + value, 0));
  let extreme = 0;
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (const value of differences) sum += random() < 0.5 ? -value : value;
    // Sums in another order differ in their last bits: that must not make equal ones "smaller".
    if (Math.abs(sum) >= observed - 1e-12 * differences.length) extreme += 1;
  }
  return (extreme + 1) / (resamples + 1);
}

/** [seeds][images] to [images]. */
function meanOverSeeds(differences: readonly Float64Array[]): Float64Array {
  return differences[0].map(
    (_, image) => differences.reduce((sum, seed) => sum + seed[image], 0) / differences.length,
  );
}
