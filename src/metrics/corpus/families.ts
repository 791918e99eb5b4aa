/** The metrics that `refcap score` knows, by family: one row of statistics an image holds them all. */
import type { ScoreSums } from '../bootstrap.ts';
import type { DocumentFrequencies } from '../document-frequencies.ts';
import type { MeteorData } from '../meteor/data.ts';
import type { ParaphraseTable } from '../meteor/paraphrases.ts';
import type { Metric } from '../types.ts';

/** The part of a metric that makes scores from sums: it needs no data files. */
export type Scoring = Omit<Metric, 'statistics'>;

/** What families need to count captions. */
export interface MetricResources {
  /** CIDEr's document frequencies. */
  frequencies?: DocumentFrequencies | undefined;
  /** METEOR's paraphrase table. */
  paraphrases?: ParaphraseTable | undefined;
  /** WordNet for METEOR and NLTK's; asked for when one of them is wanted. */
  meteorData(): MeteorData;
}

interface Family {
  /** Of its scores, in order. */
  names: readonly string[];
  /** Whether it reads PTB tokens; the others read the captions as they are. */
  tokens: boolean;
  scoring(): Promise<Scoring>;
  create(resources: MetricResources): Promise<Metric>;
}

/** A family whose metric needs nothing, so that making it is as good as making its scoring. */
function simple(names: readonly string[], tokens: boolean, create: () => Promise<Metric>): Family {
  return { names, tokens, scoring: create, create };
}

function rouge(suffix: string, options: { stem?: boolean; over?: 'mean' }): Family {
  const names = ['rouge1', 'rouge2', 'rougeL'].map((name) => name + suffix);
  return simple(names, false, async () => (await import('../rouge.ts')).createRouge(options));
}

/** In the order in which scores are printed. Modules are loaded when their family is asked for. */
const table = {
  bleu: simple(['Bleu_1', 'Bleu_2', 'Bleu_3', 'Bleu_4'], true, async () =>
    (await import('../bleu.ts')).createBleu(),
  ),
  meteor: {
    names: ['METEOR'],
    tokens: true,
    scoring: async () => (await import('../meteor/meteor.ts')).meteorScoring,
    create: async ({ paraphrases, meteorData }) => {
      const { createMeteorMetric } = await import('../meteor/meteor.ts');
      return createMeteorMetric(meteorData(), paraphrases);
    },
  },
  'rouge-l': simple(['ROUGE_L'], true, async () => (await import('../rouge-l.ts')).createRougeL()),
  cider: {
    names: ['CIDEr', 'CIDEr_plain'],
    tokens: true,
    scoring: () => createCider(undefined),
    create: ({ frequencies }) => createCider(frequencies),
  },
  rouge: rouge('', {}),
  'rouge-stem': rouge('_stem', { stem: true }),
  'rouge-mean': rouge('_mean', { over: 'mean' }),
  'rouge-stem-mean': rouge('_stem_mean', { stem: true, over: 'mean' }),
  sacrebleu: simple(['sacreBLEU'], false, async () =>
    (await import('../sacrebleu.ts')).createSacreBleu(),
  ),
  'nltk-meteor': {
    names: ['NLTK_METEOR'],
    tokens: true,
    scoring: async () => (await import('../meteor/nltk.ts')).nltkMeteorScoring,
    create: async ({ meteorData }) => {
      const { createNltkMeteorMetric } = await import('../meteor/nltk.ts');
      return createNltkMeteorMetric(meteorData());
    },
  },
} as const satisfies Record<string, Family>;

async function createCider(frequencies: DocumentFrequencies | undefined): Promise<Metric> {
  const { DocumentFrequencies } = await import('../document-frequencies.ts');
  const { createCider: create } = await import('../cider.ts');
  return create(frequencies ?? new DocumentFrequencies());
}

export type FamilyName = keyof typeof table;
export const families: Readonly<Record<FamilyName, Family>> = table;
export const familyNames = Object.keys(table) as FamilyName[];

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
export function layoutOf(metrics: readonly Scoring[]): Layout {
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
