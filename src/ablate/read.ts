/** Reads the finished runs of an ablation, with the scores of each image. */
import { InputError } from '../base/errors.ts';
import type { EvaluationFolder } from '../evaluate/run-folder.ts';
import { readRunEvaluation, readStart } from './describe.ts';
import { readResults, runPlace } from './result.ts';
import type { AblationRequest } from './settings.ts';
import { type ComparedMetric, comparedMetrics, type ScoredRun, type ScoredStart } from './table.ts';

export interface ScoredRuns {
  readonly runs: readonly ScoredRun[];
  /** Where they start from a model. */
  readonly start?: ScoredStart;
}

/**
 * All runs with a result, variants in the order given, seeds in theirs, and the model that they start from.
 * @throws InputError naming the file or folder that is damaged, or of other data than the first
 */
export async function readRuns({
  output,
  variants,
  split,
  start,
}: AblationRequest): Promise<ScoredRuns> {
  const runs: ScoredRun[] = [];
  let first: EvaluationFolder | undefined;
  const scoresOf = (found: EvaluationFolder): ScoredRun['base'] => {
    first ??= found;
    return imageScores(found, first);
  };
  for (const result of await readResults(output, [...variants.keys()])) {
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
    runs.push({
      result,
      base: scoresOf(await readRunEvaluation(place, split, false)),
      ...(result.kept && { kept: scoresOf(await readRunEvaluation(place, split, true)) }),
    });
  }
  if (!('model' in start)) return { runs };
  const { evaluation, result } = await readStart(output, split);
  return { runs, start: { scores: result.base, base: scoresOf(evaluation) } };
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
