/** From scores to reports, as `refcap score` and `refcap compare` print them. */
import type { CorpusScores } from '../metrics/corpus/results.ts';
import type { ReportDifference, SystemReport } from './report.ts';

/** What a report says beside the scores. */
export interface ReportHead {
  system: string;
  /** Images scored. */
  n: number;
  settings: Record<string, unknown>;
}

/** One report a system; the first system is the baseline of the others. */
export function makeReports(
  scores: readonly CorpusScores[],
  heads: readonly ReportHead[],
): SystemReport[] {
  return scores.map(({ scores: metrics, intervals, differences }, i) => {
    const { system, n, settings } = heads[i];
    const report: SystemReport = { system, n, metrics, settings };
    if (intervals) report.intervals = intervals;
    if (differences)
      report.comparison = {
        baseline: heads[0].system,
        differences: Object.fromEntries(
          Object.entries(differences).map(
            ([name, { difference, low, high, pValue }]): [string, ReportDifference] => [
              name,
              { difference, low, high, p_value: pValue },
            ],
          ),
        ),
      };
    return report;
  });
}
