/** Several metrics side by side: one row of statistics an image holds them all. */
import type { ScoreSums } from '../bootstrap.ts';
import type { Scoring } from '../registry.ts';

/** Several metrics side by side: where the statistics of each stand in an image's row. */
export interface Layout {
  /** Offset of each metric's statistics in a row. */
  offsets: readonly number[];
  /** Statistics of one image. */
  width: number;
  names: readonly string[];
  /** All scores from summed rows. */
  scores: ScoreSums;
  /** All scores of one image from its row. */
  imageScores(row: Float64Array): number[];
}

/** The layout of metrics in the order given. */
export function statisticsLayout(metrics: readonly Scoring[]): Layout {
  const offsets: number[] = [];
  let width = 0;
  for (const metric of metrics) {
    offsets.push(width);
    width += metric.width;
  }
  const part = (row: Float64Array, i: number): Float64Array =>
    row.subarray(offsets[i], offsets[i] + metrics[i].width);
  return {
    offsets,
    width,
    names: metrics.flatMap((metric) => metric.names),
    scores: (sums, images) => metrics.flatMap((metric, i) => metric.scores(part(sums, i), images)),
    imageScores: (row) =>
      metrics.flatMap(
        (metric, i) => metric.imageScores?.(part(row, i)) ?? metric.scores(part(row, i), 1),
      ),
  };
}
