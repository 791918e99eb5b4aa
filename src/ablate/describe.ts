/** Gathers what a finished run and its evaluations say into the run's result. */
import { join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../base/errors.ts';
import { readJsonFile, readTextIfThere } from '../base/files.ts';
import { parseJson } from '../base/json.ts';
import { version } from '../base/version.ts';
import { type EvaluationFolder, readEvaluation } from '../evaluate/run-folder.ts';
import {
  evaluationFolder,
  type PathScores,
  pathSchema,
  type RunPlace,
  type RunResult,
  type StartResult,
  startPlace,
} from './result.ts';

/** Beside config.json: how long the run has been trained. */
export const minutesFile = 'minutes.json';

const minutesSchema = z.object({ minutes: z.number().nonnegative() });

/** Minutes of training so far; what was lost to a kill is not among them. */
export async function minutesOf({ folder }: RunPlace): Promise<number> {
  const path = join(folder, minutesFile);
  const text = await readTextIfThere(path);
  const parsed = minutesSchema.safeParse(text === undefined ? {} : parseJson(text, path));
  return parsed.success ? parsed.data.minutes : 0;
}

const configSchema = z.looseObject({
  train: z.record(z.string(), z.unknown()),
  start: z.record(z.string(), z.unknown()),
  data: z.looseObject({ fingerprint: z.string() }),
  machine: z.record(z.string(), z.unknown()),
});

/** @throws InputError naming the file that is missing or damaged */
export async function runResult(
  place: RunPlace,
  split: string,
  hasLayers: boolean,
): Promise<RunResult> {
  const path = join(place.folder, 'config.json');
  const config = configSchema.safeParse(await readJsonFile(path));
  if (!config.success) throw new InputError(`${path}: ${config.error.issues[0].message}.`);
  const { train, start, data, machine } = config.data;
  const base = await readRunEvaluation(place, split, false);
  const kept = hasLayers ? await readRunEvaluation(place, split, true) : undefined;
  return {
    version: version(),
    variant: place.variant,
    seed: place.seed,
    settings: train,
    start,
    data: { fingerprint: data.fingerprint, split, images: base.captions.length },
    ...(await bestValidation(place)),
    base: scoresOf(base),
    ...(kept && { kept: scoresOf(kept) }),
    trainingMinutes: await minutesOf(place),
    machine,
  };
}

/** An evaluation of a run. @throws InputError when it is damaged, with the way out */
export async function readRunEvaluation(
  place: RunPlace,
  split: string,
  isKept: boolean,
): Promise<EvaluationFolder> {
  return readOwnEvaluation(evaluationFolder(place, split, isKept));
}

/** What the start's evaluation says. @throws InputError when it is damaged, with the way out */
export async function readStart(
  output: string,
  split: string,
): Promise<{ readonly result: StartResult; readonly evaluation: EvaluationFolder }> {
  const evaluation = await readOwnEvaluation(startPlace(output, split).folder);
  const { model, data } = evaluation.results;
  const result = {
    version: version(),
    start: { name: model.name, fingerprint: model.fingerprint },
    data: { split, images: data.images },
    base: scoresOf(evaluation),
  };
  return { result, evaluation };
}

async function readOwnEvaluation(folder: string): Promise<EvaluationFolder> {
  try {
    return await readEvaluation(folder);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      `${error.message} (Remove ${folder} and run the ablation again: it is measured anew.)`,
    );
  }
}

function scoresOf({ folder, results }: EvaluationFolder): PathScores {
  const parsed = pathSchema.safeParse(results);
  if (parsed.success) return parsed.data;
  throw new InputError(
    `${join(folder, 'results.json')}: ${parsed.error.issues[0].path.join('.')} is not what refcap evaluate writes; remove ${folder} and run the ablation again.`,
  );
}

const validationSchema = z.looseObject({
  kind: z.literal('validation'),
  best: z.boolean(),
  epoch: z.int(),
  losses: z.object({ base: z.number(), refined: z.number().optional() }),
});

/** The epoch of the best model and its losses, from metrics.jsonl. */
async function bestValidation({ folder }: RunPlace): Promise<Pick<RunResult, 'epoch' | 'losses'>> {
  const path = join(folder, 'metrics.jsonl');
  const lines = ((await readTextIfThere(path)) ?? '').split('\n').filter((line) => line !== '');
  const best = lines
    .flatMap((line) => {
      const parsed = validationSchema.safeParse(parseJson(line, path));
      return parsed.success && parsed.data.best ? [parsed.data] : [];
    })
    .at(-1);
  if (!best) throw new InputError(`${path}: there is no validation of the best model.`);
  return { epoch: best.epoch, losses: best.losses };
}
