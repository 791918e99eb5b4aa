/** Checkpoints of a run: everything that training needs to go on exactly, whole or not there. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { readJsonFile, writeFileAtomic } from '../../base/files.ts';
import { replaceFolder } from '../../base/folders.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import { openWeights } from '../../weights/open.ts';
import { writeSafetensors } from '../../weights/safetensors/write.ts';
import { fromFloat32 } from '../../weights/weight.ts';

export const progressSchema = z.strictObject({
  /** Optimizer steps done (skipped ones too). */
  step: z.int().nonnegative(),
  /** The epoch that goes on, counted from 1, and how many of its batches are done. */
  epoch: z.int().positive(),
  batch: z.int().nonnegative(),
  /** Steps skipped in a row. */
  skipped: z.int().nonnegative(),
  /** Steps skipped in all; checkpoints of before do not tell. */
  allSkipped: z.int().nonnegative().default(0),
  /** The best validation so far, as a number to be maximised, and validations since. */
  best: z.number().nullable(),
  sinceBest: z.int().nonnegative(),
});

/** What a validation changes of it. */
export const verdictSchema = progressSchema.pick({ best: true, sinceBest: true });

/** Where a run stands. All randomness is a function of the seed and these numbers. */
export type Progress = z.infer<typeof progressSchema>;

export const beginning: Progress = {
  step: 0,
  epoch: 1,
  batch: 0,
  skipped: 0,
  allSkipped: 0,
  best: null,
  sinceBest: 0,
};

const stateSchema = z.strictObject({
  format: z.literal(1),
  /** Hash of the trained parameters' names and shapes. */
  layout: z.string(),
  progress: progressSchema,
});

const trainableName = 'trainable';

function layoutOf(store: ParameterStore): string {
  const hash = createHash('sha256');
  for (const name of store.trainableNames) hash.update(`${name} ${store.specOf(name).shape}\n`);
  // Parameters of another learning rate stand elsewhere.
  if (store.ranges.some(({ rate }) => rate !== 1)) hash.update(JSON.stringify(store.ranges));
  return hash.digest('hex');
}

/** The checkpoints of a run's folder, the newest first. */
export async function listCheckpoints(folder: string): Promise<{ path: string; step: number }[]> {
  const names = await readdir(join(folder, 'checkpoints')).catch((): string[] => []);
  return names
    .flatMap((name) => {
      const step = /^step-(\d+)$/.exec(name)?.[1];
      return step === undefined
        ? []
        : [{ path: join(folder, 'checkpoints', name), step: Number(step) }];
    })
    .sort((a, b) => b.step - a.step);
}

/**
 * Writes `checkpoints/step-N` and then removes all but the newest `keep`.
 * @throws InputError when the disk is full; earlier checkpoints stay
 */
export async function saveCheckpoint(
  folder: string,
  store: ParameterStore,
  slots: Readonly<Record<string, Float32Array>>,
  progress: Progress,
  keep: number,
): Promise<void> {
  const parent = join(folder, 'checkpoints');
  const target = join(parent, `step-${progress.step}`);
  await mkdir(parent, { recursive: true });
  // A checkpoint of the same step, of before an interruption, says the same.
  await replaceFolder(target, async (temporary) => {
    const flat = { [trainableName]: store.trainable, ...slots };
    const weights = Object.entries(flat).map(
      ([name, data]) => [name, fromFloat32(data, [data.length])] as const,
    );
    await writeSafetensors(join(temporary, 'state.safetensors'), weights);
    const state = { format: 1, layout: layoutOf(store), progress };
    await writeFileAtomic(join(temporary, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
  });
  for (const { path } of (await listCheckpoints(folder)).slice(keep))
    await rm(path, { recursive: true, force: true });
}

/**
 * Fills the store and the optimizer's state from a checkpoint.
 * @throws InputError when it is damaged or belongs to another architecture
 */
export async function loadCheckpoint(
  path: string,
  store: ParameterStore,
  slots: Readonly<Record<string, Float32Array>>,
): Promise<Progress> {
  const file = join(path, 'state.json');
  const parsed = stateSchema.safeParse(await readJsonFile(file));
  if (!parsed.success)
    throw new InputError(
      `${file}: ${parsed.error.issues[0].path.join('.')}: ${parsed.error.issues[0].message}; remove the folder to go on from an earlier checkpoint.`,
    );
  if (parsed.data.layout !== layoutOf(store))
    throw new InputError(
      `${path}: the checkpoint is of another architecture (other layers, sizes or trained parts); resume with the settings of its run.`,
    );
  await using source = await openWeights(join(path, 'state.safetensors'));
  const flat = { [trainableName]: store.trainable, ...slots };
  for (const [name, data] of Object.entries(flat)) {
    const shape = source.tensors.get(name)?.shape;
    if (shape?.length !== 1 || shape[0] !== data.length)
      throw new InputError(
        `${path}: the optimizer's state '${name}' is missing or of another size; resume with the settings of its run.`,
      );
    await source.readFloat32(name, data);
  }
  return parsed.data.progress;
}

const lineSchema = z.looseObject({
  kind: z.string(),
  step: z.number(),
  epoch: z.number().optional(),
});

/**
 * Keeps the lines of metrics.jsonl up to where a run goes on: what came after is done again, and so is the
 * validation of an epoch that is not done.
 */
export async function truncateMetrics(
  path: string,
  text: string,
  { step, epoch }: Pick<Progress, 'step' | 'epoch'>,
): Promise<void> {
  const kept = text.split('\n').filter((line) => {
    try {
      const { kind, ...at } = lineSchema.parse(JSON.parse(line));
      return at.step <= step && !(kind === 'validation' && (at.epoch ?? 0) >= epoch);
    } catch {
      return false;
    }
  });
  await writeFileAtomic(path, kept.map((line) => `${line}\n`).join(''));
}
