/** How true probabilities are: reliability over bins, and the expected calibration error. Pure. */
import { createRandom, type Random } from '../base/random.ts';
import type { Reliability, ReliabilityBin } from './config.ts';

/** What was said, and whether it was so. */
export interface JudgedProbability {
  readonly probability: number;
  readonly right: boolean;
}

/**
 * Bins of neighbouring probabilities, equally many in each, the lowest first; fewer where there are not so many.
 */
export function reliabilityBins(judged: readonly JudgedProbability[], bins = 10): ReliabilityBin[] {
  const order = [...judged].sort((a, b) => a.probability - b.probability);
  const parts = Array.from({ length: bins }, (_, bin) =>
    order.slice(
      Math.floor((bin * order.length) / bins),
      Math.floor(((bin + 1) * order.length) / bins),
    ),
  );
  return parts
    .filter((part) => part.length > 0)
    .map((part) => ({
      confidence: part.reduce((sum, { probability }) => sum + probability, 0) / part.length,
      right: part.filter(({ right }) => right).length / part.length,
      images: part.length,
    }));
}

/**
 * Expected calibration error (Naeini et al. 2015): the mean distance between probability and share of right ones
 * over bins of equally many, weighted by their sizes.
 */
export function calibrationError(judged: readonly JudgedProbability[], bins = 10): number {
  return reliabilityBins(judged, bins).reduce(
    (sum, { confidence, right, images }) =>
      sum + (Math.abs(confidence - right) * images) / judged.length,
    0,
  );
}

const resamples = 1000;

/**
 * The error with a percentile bootstrap interval over pictures, and what true probabilities would show by chance: the
 * mean error where each of them is right as often as it says.
 */
export function reliabilityOf(judged: readonly JudgedProbability[], seed: number): Reliability {
  const random = createRandom(seed);
  const sorted = [...judged].sort((a, b) => a.probability - b.probability);
  const drawn = errorsOf(() => resampled(sorted, random));
  const ideal = errorsOf(() => sorted.map((each) => asSaid(each, random)));
  const at = (share: number) => drawn[Math.round(share * (drawn.length - 1))];
  return {
    images: judged.length,
    right: rounded(judged.filter(({ right }) => right).length / judged.length),
    error: rounded(calibrationError(judged)),
    low: rounded(at(0.025)),
    high: rounded(at(0.975)),
    chance: rounded(ideal.reduce((sum, x) => sum + x, 0) / ideal.length),
    bins: reliabilityBins(judged).map(({ confidence, right, images }) => ({
      confidence: rounded(confidence),
      right: rounded(right),
      images,
    })),
  };
}

/** In order again, which is quick to sort. */
function resampled(sorted: readonly JudgedProbability[], random: Random): JudgedProbability[] {
  const places = Int32Array.from(sorted, () => random.integer(sorted.length)).sort();
  return Array.from(places, (place) => sorted[place]);
}

/** Four digits behind the point: more would be noise. */
function rounded(x: number): number {
  return Number(x.toFixed(4));
}

function asSaid({ probability }: JudgedProbability, random: Random): JudgedProbability {
  return { probability, right: random.next() < probability };
}

/** Sorted. */
function errorsOf(draw: () => JudgedProbability[]): number[] {
  return Array.from({ length: resamples }, () => calibrationError(draw())).sort((a, b) => a - b);
}
