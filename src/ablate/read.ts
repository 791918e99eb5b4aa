/** Reads the finished runs of an ablation, with the scores of each image. */
import { InputError } from '../base/errors.ts';
import type { EvaluationFolder } from '../evaluate/run-folder.ts';
import { readRunEvaluation, readStart } from './describe.ts';
import { readResults, runPlace } from './result.ts';
import { type ComparedMetric, comparedMetrics, type ScoredRun, type ScoredStart } from './table.ts';

/**
 * All runs with a result, variants in the order given, seeds in theirs.
 * @throws InputError naming the file or folder that is damaged, or of other data than the first
 */
export async function readRuns(output: string, variants: readonly string[]): Promise<ScoredRun[]> {
  const runs: ScoredRun[] = [];
  let first: EvaluationFolder | undefined;
  const scoresOf = (found: EvaluationFolder): ScoredRun['base'] => {
    first ??= found;
    return imageScores(found, first);
  };
  for (const result of await readResults(output, variants)) {
    const place = runPlace(output, result.variant, result.seed);
    const [before] = runs;
    for (const [what, a, b] of [
      ['data', before?.result.data.fingerprint, result.data.fingerprint],
      ['start', before?.result.start.fingerprint, result.start.fingerprint],
    ])
      if (before && a !== b)
        throw new InputError(
          `${place.folder}: the run has another ${what} than ${before.result.variant}, seed ${before.result.seed}; remove it and ${place.result}, and run the ablation again.`,
        );
    const { split } = result.data;
    runs.push({
      result,
      base: scoresOf(await readRunEvaluation(place, split, false)),
      ...(result.kept && { kept: scoresOf(await readRunEvaluation(place, split, true)) }),
    });
  }
  return runs;
}

/**
 * The model that the runs start from, with the scores of each picture in the order of a run's.
 * @throws InputError naming the folder that is damaged, or of other data
 */
export async function readStartScores(
  output: string,
  split: string,
  { result }: ScoredRun,
): Promise<ScoredStart> {
  const { evaluation, result: start } = await readStart(output, split);
  const first = await readRunEvaluation(
    runPlace(output, result.variant, result.seed),
    split,
    false,
  );
  return { scores: start.base, base: imageScores(evaluation, first) };
}

/** Scores of the pictures in the order of the first evaluation. */
function imageScores(found: EvaluationFolder, first: EvaluationFolder): ScoredRun['base'] {
  if (found.results.data.fingerprint !== first.results.data.fingerprint)
    throw new InputError(
      `${found.folder}: the pictures or references are others than in ${first.folder}; remove it and run the ablation again.`,
    );
  const byFile = new Map(found.captions.map(({ file, scores }) => [file, scores]));
  const of = (name: ComparedMetric): Float64Array =>
    Float64Array.from(first.captions, ({ file }) => {
      const score = byFile.get(file)?.[name];
      if (score !== undefined) return score;
      throw new InputError(
        `${found.folder}: captions.jsonl has no ${name} of ${file}; remove the folder and run the ablation again.`,
      );
    });
  const [cider, meteor, rouge] = comparedMetrics.map(of);
  return { CIDEr: cider, METEOR: meteor, ROUGE_L: rouge };
}
