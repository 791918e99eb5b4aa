/** The metrics that `refcap score` knows, a row each: help, reports, checks and docs/metrics.md come from here. */
import type { DocumentFrequencies } from './document-frequencies.ts';
import type { MeteorData } from './meteor/data.ts';
import type { ParaphraseTable } from './meteor/paraphrases.ts';
import type { Metric } from './types.ts';

/** The part of a metric that makes scores from sums: it needs no data files. */
export type Scoring = Omit<Metric, 'statistics'>;

/** What metrics need beside the captions. */
export interface MetricResources {
  /** How many images' references have an n-gram: counted in the corpus itself where none are given. */
  frequencies?: DocumentFrequencies | undefined;
  /** METEOR's paraphrase table. */
  paraphrases?: ParaphraseTable | undefined;
  /** WordNet, packed; asked for when a metric is made that needs it. */
  meteorData(): MeteorData;
}

/** What a metric can be given: its data, or the captions of the training set. */
export type Resource = keyof MetricResources | 'training';

interface Row {
  /** Its scores, in the order in which they are printed. */
  scores: readonly string[];
  /** Measured unless something else is asked for. */
  isDefault: boolean;
  /** PTB tokens, or the captions as they are written. */
  reads: 'tokens' | 'text';
  /** What it can be given; without `frequencies` it has to wait for those of the corpus. */
  takes: readonly Resource[];
  /** What headings say behind its scores where a resource was not given. */
  without?: Partial<Record<Resource, string>>;
  /** For the help of `--metrics`, in few words. */
  summary: string;
  /** For docs/metrics.md, in Markdown: what it computes, after which program, and what misleads. */
  what: string;
  trap: string;
}

/** A metric of images, whose statistics add up. */
interface ImageMetricRow extends Row {
  scoring(): Promise<Scoring>;
  create(resources: MetricResources): Promise<Metric>;
}

/** A row whose metric needs nothing, so that making it is as good as making its scoring. */
function simple(row: Row, create: () => Promise<Metric>): ImageMetricRow {
  return { ...row, scoring: create, create };
}

function rouge(
  suffix: string,
  options: { stem?: boolean; over?: 'mean' },
  texts: Pick<Row, 'summary' | 'what' | 'trap'>,
): ImageMetricRow {
  const scores = ['rouge1', 'rouge2', 'rougeL'].map((name) => name + suffix);
  const isDefault = suffix === '';
  return simple({ scores, isDefault, reads: 'text', takes: [], ...texts }, async () =>
    (await import('./rouge.ts')).createRouge(options),
  );
}

async function createCider(frequencies: DocumentFrequencies | undefined): Promise<Metric> {
  const { DocumentFrequencies } = await import('./document-frequencies.ts');
  const { createCider: create } = await import('./cider.ts');
  return create(frequencies ?? new DocumentFrequencies());
}

/** Of images, in the order in which scores are printed. Modules are loaded when their metric is asked for. */
const ofImages = {
  bleu: simple(
    {
      scores: ['Bleu_1', 'Bleu_2', 'Bleu_3', 'Bleu_4'],
      isDefault: true,
      reads: 'tokens',
      takes: [],
      summary: "pycocoevalcap's BLEU",
      what: "pycocoevalcap's BLEU: counts summed over the corpus, closest reference length",
      trap: 'the mean of per-image BLEU-4 is another, lower number; one image without a common 4-gram scores nearly 0',
    },
    async () => (await import('./bleu.ts')).createBleu(),
  ),
  meteor: {
    scores: ['METEOR'],
    isDefault: true,
    reads: 'tokens',
    takes: ['meteorData', 'paraphrases'],
    without: { paraphrases: 'no paraphrases' },
    summary: 'METEOR 1.5',
    what: 'METEOR 1.5 with exact, stem and synonym matches',
    trap: 'papers use the paraphrase table too, which may not be shipped: pass it with `--meteor-paraphrases paraphrase-en.gz`. Without it scores are lower, and the heading and `settings` say so',
    scoring: async () => (await import('./meteor/meteor.ts')).meteorScoring,
    create: async ({ paraphrases, meteorData }) => {
      const { createMeteorMetric } = await import('./meteor/meteor.ts');
      return createMeteorMetric(meteorData(), paraphrases);
    },
  },
  'rouge-l': simple(
    {
      scores: ['ROUGE_L'],
      isDefault: true,
      reads: 'tokens',
      takes: [],
      summary: "pycocoevalcap's ROUGE-L",
      what: "pycocoevalcap's: best precision and best recall over references, beta 1.2",
      trap: 'not `rougeL` below',
    },
    async () => (await import('./rouge-l.ts')).createRougeL(),
  ),
  cider: {
    scores: ['CIDEr', 'CIDEr_plain'],
    isDefault: true,
    reads: 'tokens',
    takes: ['frequencies'],
    summary: 'CIDEr-D, and CIDEr without clipping',
    what: '`CIDEr` is CIDEr-D, as pycocoevalcap prints it; `CIDEr_plain` has no clipping and no length penalty',
    trap: 'see below',
    scoring: () => createCider(undefined),
    create: ({ frequencies }) => createCider(frequencies),
  },
  rouge: rouge(
    '',
    {},
    {
      summary: "rouge_score's F1, the best reference",
      what: 'rouge_score 0.1.2: F1 of words of a-z and 0-9, the best reference',
      trap: '"ROUGE-L" of two papers may be two programs; non-Latin captions score 0',
    },
  ),
  'rouge-stem': rouge(
    '_stem',
    { stem: true },
    {
      summary: 'the same of stems',
      what: "the same of Porter's stems",
      trap: 'higher than without stems',
    },
  ),
  'rouge-mean': rouge(
    '_mean',
    { over: 'mean' },
    {
      summary: 'the same, the mean over references',
      what: '`rouge` as the mean over references',
      trap: 'lower than with the best reference',
    },
  ),
  'rouge-stem-mean': rouge(
    '_stem_mean',
    { stem: true, over: 'mean' },
    {
      summary: 'both',
      what: '`rouge-stem` as the mean over references',
      trap: 'as for the two above',
    },
  ),
  sacrebleu: simple(
    {
      scores: ['sacreBLEU'],
      isDefault: true,
      reads: 'text',
      takes: [],
      summary: "sacrebleu's BLEU, 0 to 100",
      what: "sacrebleu 2's BLEU, 0 to 100: 13a tokens, case kept",
      trap: 'needs references written like the captions: case and punctuation count',
    },
    async () => (await import('./sacrebleu.ts')).createSacreBleu(),
  ),
  'nltk-meteor': {
    scores: ['NLTK_METEOR'],
    isDefault: false,
    reads: 'tokens',
    takes: ['meteorData'],
    summary: "NLTK's METEOR",
    what: "NLTK's METEOR, with other weights",
    trap: 'about twice METEOR 1.5: never mix them',
    scoring: async () => (await import('./meteor/nltk.ts')).nltkMeteorScoring,
    create: async ({ meteorData }) => {
      const { createNltkMeteorMetric } = await import('./meteor/nltk.ts');
      return createNltkMeteorMetric(meteorData());
    },
  },
} as const satisfies Record<string, ImageMetricRow>;

/** Of all captions of a system together: nothing adds up, so they have no intervals. */
const ofSystems = {
  diversity: {
    // In the order of `diversityScores()`.
    scores: [
      ...['distinct_1', 'distinct_2', 'distinct_3', 'distinct_4'],
      ...['vocabulary', 'mean_length', 'unique', 'novel'],
    ],
    isDefault: true,
    reads: 'tokens',
    takes: ['training'],
    summary: 'how varied the captions are, without references',
    what: 'distinct n-grams over all n-grams; distinct words; words a caption; share of distinct captions; with `--training-captions`, share of captions not among them',
    trap: '`distinct_n` falls with the number of captions: compare equal numbers of images',
  },
} as const satisfies Record<string, Row>;

export type ImageMetricName = keyof typeof ofImages;
export type MetricName = ImageMetricName | keyof typeof ofSystems;

export const imageMetrics: Readonly<Record<ImageMetricName, ImageMetricRow>> = ofImages;
export const imageMetricNames = Object.keys(ofImages) as ImageMetricName[];

/** All rows, in the order in which scores are printed. */
export const metricRows: Readonly<Record<MetricName, Row>> = { ...ofImages, ...ofSystems };
export const metricNames = Object.keys(metricRows) as MetricName[];

/** What is measured unless something else is asked for, as a list for `selectMetrics()`. */
export const defaultMetrics = metricNames.filter((name) => metricRows[name].isDefault).join(',');

/** How a score is called in headings, such as 'METEOR (no paraphrases)' where that resource was not given. */
export function scoreHeading(score: string, given: readonly Resource[] = []): string {
  const row = Object.values(metricRows).find(({ scores }) => scores.includes(score));
  const lacking = Object.entries(row?.without ?? {})
    .filter(([resource]) => !given.some((name) => name === resource))
    .map(([, words]) => words);
  return lacking.length > 0 ? `${score} (${lacking.join(', ')})` : score;
}
