/** The scores of a split's captions, against all references and against one at a time. */
import { type SystemScores, scoreCorpus } from '../metrics/corpus/score.ts';
import { defaultMetrics } from '../metrics/registry.ts';
import { selectMetrics } from '../metrics/selection.ts';
import { settingsOf } from '../score/settings.ts';
import { countCaptions, scoreRunner } from '../score/threads.ts';

/** A caption and what people wrote for its picture. */
export interface JudgedCaption {
  readonly caption: string;
  readonly references: readonly string[];
}

export interface ScoringOptions {
  readonly bootstrap: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

export interface SplitScores extends Required<Pick<SystemScores, 'scores' | 'images'>> {
  readonly intervals: NonNullable<SystemScores['intervals']>;
  /** What the scores depend on. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** All scores, of the split and of each caption, against all references. */
export async function scoreSplit(
  captions: readonly JudgedCaption[],
  { bootstrap, seed, signal }: ScoringOptions,
): Promise<SplitScores> {
  const options = { bootstrap, seed, signal, perImage: true };
  const { scores, intervals = {}, images = [] } = await score(captions, options);
  const settings = settingsOf({
    selection: selectMetrics(defaultMetrics),
    referenceCounts: captions.map(({ references }) => references.length),
    bootstrap,
    seed,
  });
  return { scores, intervals, images, settings };
}

/** Each caption against one reference at a time, the scores averaged over the references' places. */
export async function singleReferenceMeans(
  captions: readonly JudgedCaption[],
  { signal }: Pick<ScoringOptions, 'signal'>,
): Promise<Record<string, number>> {
  const most = captions.reduce((most, { references }) => Math.max(most, references.length), 0);
  const sums = new Map<string, number>();
  for (let place = 0; place < most; place++) {
    const some = captions
      .filter(({ references }) => references.length > place)
      .map(({ caption, references }) => ({ caption, references: [references[place]] }));
    const { scores } = await score(some, { metrics: 'bleu,meteor,rouge-l,cider,rouge', signal });
    for (const [name, value] of Object.entries(scores))
      sums.set(name, (sums.get(name) ?? 0) + value / most);
  }
  return Object.fromEntries(sums);
}

function score(
  captions: readonly JudgedCaption[],
  options: Parameters<typeof scoreCorpus>[2],
): Promise<SystemScores> {
  const references = captions.map((image) => image.references);
  return scoreCorpus(
    captions.map(({ caption }) => caption),
    references,
    { ...options, runner: () => scoreRunner(countCaptions(1, references)) },
  );
}
