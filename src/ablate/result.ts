/** What one run of an ablation leaves in `results/`: a small file of numbers, without captions. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../base/errors.ts';
import { readJsonFile, readTextIfThere, writeFileAtomic } from '../base/files.ts';

const numbers = z.record(z.string(), z.number());
const intervals = z.record(z.string(), z.object({ low: z.number(), high: z.number() }));

/** Scores of the captions of one path. */
export const pathSchema = z.object({
  metrics: numbers,
  intervals,
  /** The mean over one reference at a time. */
  singleReference: numbers.optional(),
});
export type PathScores = z.infer<typeof pathSchema>;

const resultSchema = z.object({
  version: z.string(),
  variant: z.string(),
  seed: z.int().positive(),
  /** Every setting of training. */
  settings: z.record(z.string(), z.unknown()),
  start: z.record(z.string(), z.unknown()),
  data: z.object({
    /** Of the images trained on and their captions. */
    fingerprint: z.string(),
    split: z.string(),
    images: z.int().positive(),
  }),
  /** The epoch of the best model, and its losses on the dev split in nats a word. */
  epoch: z.int().positive(),
  losses: z.object({ base: z.number(), refined: z.number().optional() }),
  /** Captions of the model as it is saved. */
  base: pathSchema,
  /** The same with the training-only layers kept. */
  kept: pathSchema.optional(),
  trainingMinutes: z.number(),
  machine: z.record(z.string(), z.unknown()),
});
export type RunResult = z.infer<typeof resultSchema>;

/** What the evaluation of the model that runs start from leaves. */
export interface StartResult {
  readonly version: string;
  readonly start: { readonly name: string; readonly fingerprint: string };
  readonly data: { readonly split: string; readonly images: number };
  readonly base: PathScores;
}

/** Where a run of an ablation lies, and what it leaves. */
export interface RunPlace {
  readonly variant: string;
  readonly seed: number;
  /** The training run's folder. */
  readonly folder: string;
  readonly result: string;
}

export function runPlace(output: string, variant: string, seed: number): RunPlace {
  return {
    variant,
    seed,
    folder: join(output, 'runs', variant, `seed-${seed}`),
    result: join(output, 'results', `${variant}-seed-${seed}.json`),
  };
}

/** Where the model that runs start from is evaluated as it is, and what that leaves. */
export function startPlace(output: string, split: string): { folder: string; result: string } {
  return { folder: join(output, 'start', split), result: join(output, 'results', 'start.json') };
}

/** The folder of a run's evaluation, of the model as it is saved or with its layers kept. */
export function evaluationFolder({ folder }: RunPlace, split: string, isKept: boolean): string {
  return join(folder, isKept ? `${split}-kept` : split);
}

/** @throws InputError naming the file when it is damaged */
export async function readResult({ result: path }: RunPlace): Promise<RunResult | undefined> {
  if ((await readTextIfThere(path)) === undefined) return undefined;
  const parsed = resultSchema.safeParse(await readJsonFile(path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(
    `${path}: ${issue.path.join('.') || 'the file'}: ${issue.message}; remove it and run again.`,
  );
}

export async function writeResult(
  { result: path }: Pick<RunPlace, 'result'>,
  result: RunResult | StartResult,
): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFileAtomic(path, `${JSON.stringify(result, null, 2)}\n`);
}

/** All results of an ablation, variants in the order given, each with its seeds in order. */
export async function readResults(
  output: string,
  variants: readonly string[],
): Promise<RunResult[]> {
  const names = await readdir(join(output, 'results')).catch((): string[] => []);
  const results: RunResult[] = [];
  for (const variant of variants) {
    const seeds = names
      .filter((name) => name.startsWith(`${variant}-seed-`))
      .map((name) => /^-seed-(\d+)\.json$/.exec(name.slice(variant.length))?.[1])
      .flatMap((seed) => (seed === undefined ? [] : [Number(seed)]))
      .sort((a, b) => a - b);
    for (const seed of seeds) {
      const result = await readResult(runPlace(output, variant, seed));
      if (result) results.push(result);
    }
  }
  return results;
}
