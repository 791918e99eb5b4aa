/** The table of an ablation, from the results of its runs and the scores of each image. Pure. */
import { createRandom } from '../base/random.ts';
import type { RunResult } from './result.ts';
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

/** One variant, as it is saved or with its training-only layers kept. */
export interface AblationRow {
  readonly variant: string;
  readonly kept: boolean;
  readonly seeds: readonly number[];
  /** Dev loss of the path, nats a word. */
  readonly nats: Spread;
  readonly metrics: Readonly<Record<TableMetric, Spread>>;
  readonly trainingMinutes: Spread;
  /** To the baseline, for the seeds that both have. */
  readonly comparison?: {
    readonly seeds: readonly number[];
    readonly nats: Spread;
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

/** A row for each variant and path, in the order of the runs. */
export function tableRows(runs: readonly ScoredRun[], options: TableOptions): AblationRow[] {
  const variants = [...new Set(runs.map(({ result }) => result.variant))];
  const baseline = runs.filter(({ result }) => result.variant === options.baseline);
  return variants.flatMap((variant) => {
    const own = runs.filter(({ result }) => result.variant === variant);
    const withLayers = own.filter(({ kept }) => kept);
    const base = rowOf(own, false, variant === options.baseline ? [] : baseline, options);
    return withLayers.length > 0 ? [base, rowOf(withLayers, true, baseline, options)] : [base];
  });
}

function rowOf(
  runs: readonly ScoredRun[],
  kept: boolean,
  baseline: readonly ScoredRun[],
  options: TableOptions,
): AblationRow {
  const scores = runs.map(({ result }) => (kept && result.kept ? result.kept : result.base));
  const metric = (name: TableMetric): Spread => spread(scores.map(({ metrics }) => metrics[name]));
  const pairs = runs.flatMap((run) => {
    const other = baseline.find(({ result }) => result.seed === run.result.seed);
    return other ? [{ run, other }] : [];
  });
  return {
    variant: runs[0].result.variant,
    kept,
    seeds: runs.map(({ result }) => result.seed),
    nats: spread(runs.map(({ result }) => natsOf(result, kept))),
    metrics: {
      CIDEr: metric('CIDEr'),
      METEOR: metric('METEOR'),
      ROUGE_L: metric('ROUGE_L'),
      Bleu_4: metric('Bleu_4'),
    },
    trainingMinutes: spread(runs.map(({ result }) => result.trainingMinutes)),
    ...(pairs.length > 0 && options.bootstrap > 0 && { comparison: compare(pairs, kept, options) }),
  };
}

function natsOf({ losses }: RunResult, kept: boolean): number {
  return kept ? (losses.refined ?? losses.base) : losses.base;
}

function compare(
  pairs: readonly { run: ScoredRun; other: ScoredRun }[],
  kept: boolean,
  { bootstrap, bootstrapSeed }: TableOptions,
): NonNullable<AblationRow['comparison']> {
  const of = (name: ComparedMetric): PairedDifference => {
    const differences = pairs.map(({ run, other }) => {
      const own = kept && run.kept ? run.kept : run.base;
      return own[name].map((score, image) => score - other.base[name][image]);
    });
    // Each from the same seed: a row does not depend on which others there are.
    const { next: random } = createRandom(bootstrapSeed);
    return pairedDifference(differences, { resamples: bootstrap, confidence: 0.95, random });
  };
  return {
    seeds: pairs.map(({ run }) => run.result.seed),
    nats: spread(
      pairs.map(({ run, other }) => natsOf(run.result, kept) - natsOf(other.result, false)),
    ),
    metrics: { CIDEr: of('CIDEr'), METEOR: of('METEOR'), ROUGE_L: of('ROUGE_L') },
  };
}
