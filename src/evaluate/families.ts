/** The metrics that `refcap score` knows, by family: one row of statistics an image holds them all. */
import type { ScoreSums } from '../metrics/bootstrap.ts';
import type { DocumentFrequencies } from '../metrics/document-frequencies.ts';
import type { Metric } from '../metrics/types.ts';

/** What families need besides the captions. */
export interface MetricResources {
  /** False where the metric shall only turn sums into scores: METEOR's data then stay unread. */
  counting: boolean;
  /** CIDEr's document frequencies. */
  frequencies?: DocumentFrequencies | undefined;
  /** Path of a METEOR paraphrase table. */
  paraphrases?: string | undefined;
}

interface Family {
  /** Of its scores, in order. */
  names: readonly string[];
  /** Whether it reads PTB tokens; the others read the captions as they are. */
  tokens: boolean;
  create(resources: MetricResources): Promise<Metric>;
}

/** In the order in which scores are printed. Modules are loaded when their family is asked for. */
const table = {
  bleu: {
    names: ['Bleu_1', 'Bleu_2', 'Bleu_3', 'Bleu_4'],
    tokens: true,
    create: async () => (await import('../metrics/bleu.ts')).createBleu(),
  },
  'rouge-l': {
    names: ['ROUGE_L'],
    tokens: true,
    create: async () => (await import('../metrics/rouge-l.ts')).createRougeL(),
  },
  cider: {
    names: ['CIDEr', 'CIDEr_plain'],
    tokens: true,
    create: async ({ frequencies }) => {
      const { DocumentFrequencies } = await import('../metrics/document-frequencies.ts');
      const { createCider } = await import('../metrics/cider.ts');
      return createCider(frequencies ?? new DocumentFrequencies());
    },
  },
  rouge: rouge('', {}),
  'rouge-stem': rouge('_stem', { stem: true }),
  'rouge-mean': rouge('_mean', { over: 'mean' }),
  'rouge-stem-mean': rouge('_stem_mean', { stem: true, over: 'mean' }),
  sacrebleu: {
    names: ['sacreBLEU'],
    tokens: false,
    create: async () => (await import('../metrics/sacrebleu.ts')).createSacreBleu(),
  },
} as const satisfies Record<string, Family>;

function rouge(suffix: string, options: { stem?: boolean; over?: 'mean' }): Family {
  return {
    names: ['rouge1', 'rouge2', 'rougeL'].map((name) => name + suffix),
    tokens: false,
    create: async () => (await import('../metrics/rouge.ts')).createRouge(options),
  };
}

export type FamilyName = keyof typeof table;
export const families: Readonly<Record<FamilyName, Family>> = table;
export const familyNames = Object.keys(table) as FamilyName[];

/** Several metrics side by side: where the statistics of each stand in an image's row. */
export interface Layout {
  families: readonly FamilyName[];
  metrics: readonly Metric[];
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

/** Makes the metrics of `names`, in the order given. */
export async function createLayout(
  names: readonly FamilyName[],
  resources: MetricResources,
): Promise<Layout> {
  const metrics = await Promise.all(names.map((name) => families[name].create(resources)));
  const offsets: number[] = [];
  let width = 0;
  for (const metric of metrics) {
    offsets.push(width);
    width += metric.width;
  }
  const part = (row: Float64Array, i: number): Float64Array =>
    row.subarray(offsets[i], offsets[i] + metrics[i].width);
  return {
    families: names,
    metrics,
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
