/** `refcap score` without the command line: caption files in, reports out. */
import { writeFileAtomic } from '../base/files.ts';
import type { CorpusOptions, CorpusScores } from '../metrics/corpus/corpus.ts';
import type { ParaphraseTable } from '../metrics/meteor/paraphrases.ts';
import { readFrequencies } from './frequencies.ts';
import { readInput, type ScoreInput } from './input.ts';
import type { ScoreFilesOptions } from './options.ts';
import { type ImageScores, perImageFormat, perImageLines } from './per-image.ts';
import type { SystemReport } from './report.ts';
import { makeReports } from './reports.ts';
import { defaultMetrics, type Selection, selectMetrics } from './selection.ts';
import { scoreOnThreads } from './threads.ts';

export type { ScoreFilesOptions } from './options.ts';

/**
 * Reads, scores, and writes the files that were asked for.
 * @returns A report for each system.
 * @throws InputError or UsageError on any fault of the input, before anything is written, or of writing.
 */
export async function scoreFiles(options: ScoreFilesOptions): Promise<SystemReport[]> {
  const selection = selectMetrics(options.metrics ?? defaultMetrics);
  const format =
    options.perImage === undefined ? undefined : await perImageFormat(options.perImage);
  const input = await readInput(options);
  const corpusOptions: CorpusOptions = {
    families: selection.families,
    diversity: selection.diversity,
    training: input.training,
    tokenized: options.tokenized ?? { candidates: false, references: false },
    paraphrases: await paraphraseTable(selection, options),
    frequencies:
      options.frequencies === undefined ? undefined : await readFrequencies(options.frequencies),
    keepTables: format !== undefined || (options.bootstrap ?? 0) > 0,
    keepFrequencies: options.saveFrequencies !== undefined,
    onProgress: (done) => {
      options.signal?.throwIfAborted();
      options.onProgress?.('scoring', done);
    },
  };
  const scores = await scoreOnThreads(input.corpus, corpusOptions, options.workers);
  warnOfUnusual(input, scores, options);
  const names = selection.order.filter((name) => scores.layout.names.includes(name));
  const reports = await makeReports(input, scores, selection, options);
  if (options.perImage !== undefined && format)
    await writeFileAtomic(
      options.perImage,
      perImageLines(format, names, imageScores(input, scores, names, options)),
    );
  if (options.saveFrequencies !== undefined && scores.frequencies)
    await writeFileAtomic(options.saveFrequencies, JSON.stringify(scores.frequencies));
  return reports;
}

async function paraphraseTable(
  { families }: Selection,
  { paraphrases }: ScoreFilesOptions,
): Promise<ParaphraseTable | undefined> {
  if (paraphrases === undefined || !families.includes('meteor')) return undefined;
  return (await import('./paraphrases.ts')).readParaphrases(paraphrases);
}

function warnOfUnusual(
  { references, systems, match }: ScoreInput,
  scores: CorpusScores,
  { onWarning = () => {} }: ScoreFilesOptions,
): void {
  const id = (image: number): string => `image ${references.ids[match.images[image]]}`;
  systems.forEach(({ name }, s) => {
    for (const warning of scores.systems[s].unusual.warnings(name, id)) onWarning(warning);
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
  const warnings = scores.unusualReferences.warnings(references.name, (position) =>
    id(imageOfReference(position)),
  );
  for (const warning of warnings) onWarning(warning);
}

function* imageScores(
  { references, systems, names: systemNames, match }: ScoreInput,
  scores: CorpusScores,
  names: readonly string[],
  { signal }: ScoreFilesOptions,
): Generator<ImageScores> {
  const { layout } = scores;
  const kept = names.map((name) => layout.names.indexOf(name));
  for (const [i, image] of match.images.entries()) {
    for (const [s, { table }] of scores.systems.entries()) {
      if (!table) continue;
      const row = table.values.subarray(i * table.width, (i + 1) * table.width);
      const all = layout.imageScores(row);
      signal?.throwIfAborted();
      yield {
        image: references.ids[image],
        system: systemNames[s],
        caption: systems[s].texts.get(match.rows[s][i]),
        scores: kept.map((k) => all[k]),
      };
    }
  }
}
