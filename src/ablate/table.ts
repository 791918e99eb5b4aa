/** The table of an ablation, from the results of its runs and the scores of each image. Pure. */
import { createRandom } from '../base/random.ts';
import type { PathScores, RunResult } from './result.ts';
import type { Speed } from './speed/schema.ts';
import { type PairedDifference, pairedDifference, type Spread, spread } from './statistics.ts';

/** Scores of a row: the corpus' by their names in results.json, and how the table calls them. */
export const tableMetrics = {
  CIDEr: 'CIDEr-D',
  METEOR: 'METEOR',
  ROUGE_L: 'ROUGE-L',
  Bleu_4: 'BLEU-4',
} as const;
export type TableMetric = keyof typeof tableMetrics;

/**
 * Scores that are compared image by image. Those of CIDEr-D and ROUGE-L are means over images;
 * METEOR's corpus score is not (it comes from sums of matches), so its difference is that of the means.
 * BLEU has no score of an image that adds up.
 */
export const comparedMetrics = ['CIDEr', 'METEOR', 'ROUGE_L'] as const;
export type ComparedMetric = (typeof comparedMetrics)[number];

/** A run with the scores of each image, images in the same order in all runs. */
export interface ScoredRun {
  readonly result: RunResult;
  readonly base: Readonly<Record<ComparedMetric, Float64Array>>;
  readonly kept?: Readonly<Record<ComparedMetric, Float64Array>>;
}

/** The model that all runs start from, with the scores of each image. */
export interface ScoredStart {
  readonly scores: PathScores;
  readonly base: ScoredRun['base'];
}

/** What the row of that model is called; no variant may have spaces. */
const startName = 'as it started';

/** One variant, as it is saved or with its training-only layers kept; or the start, which has no seeds and no loss. */
export interface AblationRow {
  readonly variant: string;
  readonly kept: boolean;
  readonly seeds: readonly number[];
  /** Dev loss of the path, nats a word. */
  readonly nats?: Spread;
  readonly metrics: Readonly<Record<TableMetric, Spread>>;
  /** The mean over one reference at a time; of evaluations that have it. */
  readonly singleReference?: Readonly<Record<TableMetric, Spread>>;
  readonly trainingMinutes?: Spread;
  /** To the baseline, for the seeds that both have; of the start, for all of the baseline's. */
  readonly comparison?: {
    readonly seeds: readonly number[];
    readonly nats?: Spread;
    readonly metrics: Readonly<Record<ComparedMetric, PairedDifference>>;
  };
}

/** What ablation.json holds. */
export interface Ablation {
  readonly version: string;
  readonly baseline: string;
  readonly data: { readonly source: string; readonly split: string; readonly images: number };
  readonly bootstrap: { readonly resamples: number; readonly seed: number };
  readonly machine: Readonly<Record<string, unknown>>;
  readonly rows: readonly AblationRow[];
  readonly speed?: Speed;
}

export interface TableOptions {
  readonly baseline: string;
  /** Resamples of intervals and p-values; 0: none. */
  readonly bootstrap: number;
  readonly bootstrapSeed: number;
}

/** The start, where it is a model, and a row for each variant and path, in the order of the runs. */
export function tableRows(
  runs: readonly ScoredRun[],
  options: TableOptions,
  start?: ScoredStart,
): AblationRow[] {
  const variants = [...new Set(runs.map(({ result }) => result.variant))];
  const baseline = runs.filter(({ result }) => result.variant === options.baseline);
  const rows = variants.flatMap((variant) => {
    const own = runs.filter(({ result }) => result.variant === variant);
    const withLayers = own.filter(({ kept }) => kept);
    const base = rowOf(own, false, variant === options.baseline ? [] : baseline, options);
    return withLayers.length > 0 ? [base, rowOf(withLayers, true, baseline, options)] : [base];
  });
  return start ? [startRow(start, baseline, options), ...rows] : rows;
}

function startRow(
  { scores, base }: ScoredStart,
  baseline: readonly ScoredRun[],
  options: TableOptions,
): AblationRow {
  const pairs = baseline.map((other) => ({ own: base, other }));
  return {
    variant: startName,
    kept: false,
    seeds: [],
    ...spreads([scores]),
    ...comparisonOf(pairs, options),
  };
}

function rowOf(
  runs: readonly ScoredRun[],
  kept: boolean,
  baseline: readonly ScoredRun[],
  options: TableOptions,
): AblationRow {
  const scores = runs.map(({ result }) => (kept && result.kept ? result.kept : result.base));
  const pairs = runs.flatMap((run) => {
    const other = baseline.find(({ result }) => result.seed === run.result.seed);
    if (!other) return [];
    const own = kept && run.kept ? run.kept : run.base;
    return [{ own, other, nats: natsOf(run.result, kept) }];
  });
  return {
    variant: runs[0].result.variant,
    kept,
    seeds: runs.map(({ result }) => result.seed),
    nats: spread(runs.map(({ result }) => natsOf(result, kept))),
    ...spreads(scores),
    trainingMinutes: spread(runs.map(({ result }) => result.trainingMinutes)),
    ...comparisonOf(pairs, options),
  };
}

function spreads(scores: readonly PathScores[]): Pick<AblationRow, 'metrics' | 'singleReference'> {
  const over = (of: readonly Readonly<Record<string, number>>[]): AblationRow['metrics'] => {
    const [CIDEr, METEOR, ROUGE_L, Bleu_4] = (
      ['CIDEr', 'METEOR', 'ROUGE_L', 'Bleu_4'] as const
    ).map((name) => spread(of.map((metrics) => metrics[name])));
    return { CIDEr, METEOR, ROUGE_L, Bleu_4 };
  };
  const single = scores.flatMap(({ singleReference }) =>
    singleReference ? [singleReference] : [],
  );
  return {
    metrics: over(scores.map(({ metrics }) => metrics)),
    ...(single.length === scores.length && { singleReference: over(single) }),
  };
}

function natsOf({ losses }: RunResult, kept: boolean): number {
  return kept ? (losses.refined ?? losses.base) : losses.base;
}

/** Scores of each image, beside a run of the baseline. */
interface Pair {
  readonly own: ScoredRun['base'];
  readonly nats?: number;
  readonly other: ScoredRun;
}

function comparisonOf(
  pairs: readonly Pair[],
  { bootstrap, bootstrapSeed }: TableOptions,
): Pick<AblationRow, 'comparison'> {
  if (pairs.length === 0 || bootstrap === 0) return {};
  const of = (name: ComparedMetric): PairedDifference => {
    const differences = pairs.map(({ own, other }) =>
      own[name].map((score, image) => score - other.base[name][image]),
    );
    // Each from the same seed: a row does not depend on which others there are.
    const { next: random } = createRandom(bootstrapSeed);
    return pairedDifference(differences, { resamples: bootstrap, confidence: 0.95, random });
  };
  const nats = pairs.flatMap(({ nats, other }) =>
    nats === undefined ? [] : nats - natsOf(other.result, false),
  );
  return {
    comparison: {
      seeds: pairs.map(({ other }) => other.result.seed),
      ...(nats.length > 0 && { nats: spread(nats) }),
      metrics: { CIDEr: of('CIDEr'), METEOR: of('METEOR'), ROUGE_L: of('ROUGE_L') },
    },
  };
}
