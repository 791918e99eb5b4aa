/** Uncertainty of corpus scores: bootstrap intervals, and paired comparison of two systems. */

/** Per-image statistics of a system: image i has `values[i * width .. (i + 1) * width)`. */
export interface StatisticsTable {
  values: Float64Array;
  width: number;
}

/** Scores from statistics summed over `images` images, as a Metric computes them. */
export type ScoreSums = (sums: Float64Array, images: number) => number[];

export interface Interval {
  low: number;
  high: number;
}

export interface BootstrapOptions {
  /** How many resamples are drawn. */
  resamples: number;
  /** Such as 0.95. */
  confidence: number;
  /** Uniform in [0, 1): the only source of chance. */
  random: () => number;
}

/** One score of two systems: second minus first. */
export interface Difference extends Interval {
  difference: number;
  /** Two-sided, by approximate randomization. */
  pValue: number;
}

/**
 * Percentile bootstrap intervals over images (Efron 1979; for corpus scores Koehn 2004): images are
 * drawn with replacement, their statistics summed, and the score computed from the sums.
 * @returns An interval for each score, in the order of `scores`; for one image it has no width.
 */
export function bootstrapIntervals(
  table: StatisticsTable,
  scores: ScoreSums,
  options: BootstrapOptions,
): Interval[] {
  return finish(bootstrapSteps(table, scores, options));
}

/** The same in steps of one resample, for callers that have to look up in between. */
export function* bootstrapSteps(
  table: StatisticsTable,
  scores: ScoreSums,
  options: BootstrapOptions,
): Generator<void, Interval[]> {
  const [resampled] = yield* resampledScores([table], scores, options);
  return percentiles(resampled, options.confidence);
}

/**
 * Compares two systems on the same images. The interval of the difference is by paired bootstrap
 * (the same images drawn for both, Koehn 2004); the p-value is by approximate randomization (each
 * image's two captions swapped with probability 1/2, Riezler and Maxwell 2005), counted as
 * (1 + as extreme) / (1 + resamples), so it is never 0.
 */
export function compareSystems(
  first: StatisticsTable,
  second: StatisticsTable,
  scores: ScoreSums,
  options: BootstrapOptions,
): Difference[] {
  return finish(compareSteps(first, second, scores, options));
}

/** The same in steps of one resample. */
export function* compareSteps(
  first: StatisticsTable,
  second: StatisticsTable,
  scores: ScoreSums,
  options: BootstrapOptions,
): Generator<void, Difference[]> {
  const images = first.values.length / first.width;
  const [a, b] = yield* resampledScores([first, second], scores, options);
  const intervals = percentiles(
    b.map((values, r) => values.map((value, score) => value - a[r][score])),
    options.confidence,
  );
  const sumsA = columnSums(first);
  const sumsB = columnSums(second);
  const differences = subtract(scores(sumsB, images), scores(sumsA, images));
  const pValues = yield* randomization(first, second, scores, differences, options);
  return differences.map((difference, i) => ({ difference, ...intervals[i], pValue: pValues[i] }));
}

/** The sum of each statistic over all images, in their order. */
export function columnSums({ values, width }: StatisticsTable): Float64Array {
  const sums = new Float64Array(width);
  for (let at = 0; at < values.length; at += width) {
    for (let i = 0; i < width; i++) sums[i] += values[at + i];
  }
  return sums;
}

function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** For each system and resample the scores; all systems see the same resamples. */
function* resampledScores(
  tables: readonly StatisticsTable[],
  scores: ScoreSums,
  { resamples, random }: BootstrapOptions,
): Generator<void, number[][][]> {
  const images = tables[0].values.length / tables[0].width;
  const times = new Uint32Array(images);
  const results: number[][][] = tables.map(() => []);
  for (let r = 0; r < resamples; r++) {
    times.fill(0);
    for (let draw = 0; draw < images; draw++) times[Math.floor(random() * images)]++;
    tables.forEach(({ values, width }, system) => {
      const sums = new Float64Array(width);
      for (let image = 0, at = 0; image < images; image++, at += width) {
        const weight = times[image];
        if (weight === 0) continue;
        for (let i = 0; i < width; i++) sums[i] += weight * values[at + i];
      }
      results[system].push(scores(sums, images));
    });
    yield;
  }
  return results;
}

/** Share of random swaps that make a difference at least as large as the one observed. */
function* randomization(
  first: StatisticsTable,
  second: StatisticsTable,
  scores: ScoreSums,
  differences: readonly number[],
  { resamples, random }: BootstrapOptions,
): Generator<void, number[]> {
  const { width } = first;
  const images = first.values.length / width;
  const extreme = differences.map(() => 0);
  for (let r = 0; r < resamples; r++) {
    const sumsA = new Float64Array(width);
    const sumsB = new Float64Array(width);
    for (let image = 0, at = 0; image < images; image++, at += width) {
      const swap = random() < 0.5;
      const a = swap ? second.values : first.values;
      const b = swap ? first.values : second.values;
      for (let i = at; i < at + width; i++) {
        sumsA[i - at] += a[i];
        sumsB[i - at] += b[i];
      }
    }
    const swapped = subtract(scores(sumsB, images), scores(sumsA, images));
    differences.forEach((observed, i) => {
      // Sums in another order differ in their last bits: that must not make equal ones "smaller".
      if (Math.abs(swapped[i]) >= Math.abs(observed) - 1e-12) extreme[i]++;
    });
    yield;
  }
  return extreme.map((count) => (count + 1) / (resamples + 1));
}

function subtract(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value - b[i]);
}

/** The middle `confidence` share of each column of `rows`, ends interpolated linearly. */
function percentiles(rows: readonly (readonly number[])[], confidence: number): Interval[] {
  const tail = (1 - confidence) / 2;
  return rows[0].map((_, column) => {
    const sorted = Float64Array.from(rows, (row) => row[column]).sort();
    return { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
  });
}

/** The value below which `share` of the sorted values lie, interpolated linearly. */
export function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
