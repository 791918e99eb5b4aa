/** `refcap score` without the command line: caption files in, reports out. */
import { writeFileAtomic } from '../base/files.ts';
import { corpusResults, imageScoreNames, imageScores } from '../metrics/corpus/results.ts';
import { type CorpusStatistics, countCorpus } from '../metrics/corpus/statistics.ts';
import type { DocumentFrequencies } from '../metrics/document-frequencies.ts';
import type { ParaphraseTable } from '../metrics/meteor/paraphrases.ts';
import { defaultMetrics } from '../metrics/registry.ts';
import type { Selection } from '../metrics/selection.ts';
import { readInput, type ScoreInput } from './input.ts';
import { metricsOption } from './metrics-option.ts';
import type { ScoreFilesOptions } from './options.ts';
import type { ImageScores } from './per-image.ts';
import type { SystemReport } from './report.ts';
import { makeReports, type ReportHead } from './reports.ts';
import { settingsOf } from './settings.ts';
import { scoreRunner } from './threads.ts';

export type { ScoreFilesOptions } from './options.ts';

/**
 * Reads, scores, and writes the files that were asked for.
 * @returns A report for each system.
 * @throws InputError or UsageError on any fault of the input, before anything is written, or of writing.
 */
export async function scoreFiles(options: ScoreFilesOptions): Promise<SystemReport[]> {
  const selection = metricsOption(options.metrics ?? defaultMetrics);
  const images = options.perImage === undefined ? undefined : await perImageFile(options.perImage);
  const input = await readInput(options);
  const statistics = await countFiles(input, selection, options);
  warnOfUnusual(input, statistics, options);
  const results = await corpusResults(statistics, selection, input.names, options);
  const reports = makeReports(results, headsOf(input, selection, options));
  if (images) {
    const names = imageScoreNames(statistics, selection);
    await images.write(names, scoresOfImages(input, statistics, names, options));
  }
  if (options.saveFrequencies !== undefined && statistics.frequencies)
    await writeFileAtomic(options.saveFrequencies, JSON.stringify(statistics.frequencies));
  return reports;
}

async function countFiles(
  { corpus, training }: ScoreInput,
  selection: Selection,
  options: ScoreFilesOptions,
): Promise<CorpusStatistics> {
  const { tokenized, frequencies, perImage, bootstrap = 0, saveFrequencies, signal } = options;
  const count = {
    metrics: selection.metrics,
    diversity: selection.diversity,
    training,
    tokenized: tokenized ?? { candidates: false, references: false },
    paraphrases: await paraphraseTable(selection, options),
    frequencies: frequencies === undefined ? undefined : await documentFrequencies(frequencies),
    keepTables: perImage !== undefined || bootstrap > 0,
    keepFrequencies: saveFrequencies !== undefined,
    onProgress: (done: number) => {
      signal?.throwIfAborted();
      options.onProgress?.('scoring', done);
    },
  };
  let captions = corpus.images * corpus.systems;
  for (let image = 0; image < corpus.images; image++) captions += corpus.referenceCount(image);
  return countCorpus(corpus, count, await scoreRunner(captions, options.workers));
}

/** The file of each image's scores, whose name is checked before the work. Few runs want one. */
async function perImageFile(path: string) {
  const { perImageFormat, perImageLines } = await import('./per-image.ts');
  const format = await perImageFormat(path);
  return {
    write: (names: readonly string[], images: Iterable<ImageScores>): Promise<void> =>
      writeFileAtomic(path, perImageLines(format, names, images)),
  };
}

async function documentFrequencies(path: string): Promise<DocumentFrequencies> {
  return (await import('./frequencies.ts')).readFrequencies(path);
}

async function paraphraseTable(
  { metrics }: Selection,
  { paraphrases }: ScoreFilesOptions,
): Promise<ParaphraseTable | undefined> {
  if (paraphrases === undefined || !metrics.includes('meteor')) return undefined;
  return (await import('./paraphrases.ts')).readParaphrases(paraphrases);
}

function headsOf(
  { systems, names, references, corpus }: ScoreInput,
  selection: Selection,
  options: ScoreFilesOptions,
): ReportHead[] {
  const { splits, images, allowMissing } = options;
  const settings = settingsOf({
    ...options,
    selection,
    referenceCounts: Array.from({ length: corpus.images }, (_, i) => corpus.referenceCount(i)),
  });
  return systems.map(({ name }, s) => ({
    system: names[s],
    n: corpus.images,
    settings: {
      candidates: name,
      references: references.name,
      ...(splits && { splits }),
      ...(images !== undefined && { images }),
      ...(allowMissing && { allow_missing: true }),
      ...settings,
    },
  }));
}

function warnOfUnusual(
  { references, systems, match }: ScoreInput,
  statistics: CorpusStatistics,
  { onWarning = () => {} }: ScoreFilesOptions,
): void {
  const id = (image: number): string => `image ${references.ids[match.images[image]]}`;
  systems.forEach(({ name }, s) => {
    for (const warning of statistics.systems[s].unusual.warnings(name, id)) onWarning(warning);
  });
  const imageOfReference = (position: number): number => {
    let image = 0;
    for (let seen = 0; image < match.images.length; image++) {
      const at = match.images[image];
      seen += references.first[at + 1] - references.first[at];
      if (seen > position) break;
    }
    return image;
  };
  const warnings = statistics.unusualReferences.warnings(references.name, (position) =>
    id(imageOfReference(position)),
  );
  for (const warning of warnings) onWarning(warning);
}

function* scoresOfImages(
  { references, systems, names, match }: ScoreInput,
  statistics: CorpusStatistics,
  scoreNames: readonly string[],
  { signal }: ScoreFilesOptions,
): Generator<ImageScores> {
  const scores = statistics.systems.map((system) => imageScores(statistics, system, scoreNames));
  for (const [i, image] of match.images.entries()) {
    for (const [s, { texts }] of systems.entries()) {
      signal?.throwIfAborted();
      const { done, value } = scores[s].next();
      if (done) continue;
      yield {
        image: references.ids[image],
        system: names[s],
        caption: texts.get(match.rows[s][i]),
        scores: value,
      };
    }
  }
}
