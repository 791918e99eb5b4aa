/** An ablation: the same training with and without the training-only layers, for several seeds. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.ts';
import { describeWriteError, errorCode, writeFileAtomic } from '../base/files.ts';
import { lockFolder } from '../base/lock.ts';
import { version } from '../base/version.ts';
import { checkWritableFolder } from '../base/writable.ts';
import { openAblation } from './folder.ts';
import { formatAblation } from './format.ts';
import { readRuns } from './read.ts';
import { finishRun, finishStart, type RunSettings } from './run.ts';
import type { AblationRequest } from './settings.ts';
import { measureSpeed, readSpeed, type SpeedOptions } from './speed/speed.ts';
import { type Ablation, tableRows } from './table.ts';

export interface AblateOptions extends RunSettings {
  readonly request: AblationRequest;
  /** What is measured of latency and memory; undefined: nothing. */
  readonly speed?: SpeedOptions;
  /** Told before each run. */
  onRun(run: { variant: string; seed: number; number: number; total: number }): void;
}

/**
 * Runs every chosen variant under every seed, seed by seed, so that what an interruption leaves are
 * whole seeds; goes on where an earlier call ended. Leaves `ablation.json` and `ablation.md`, written
 * anew after each run, `runs/VARIANT/seed-N/` and `results/`.
 * @throws InputError naming what is missing, damaged or differs; the signal's reason when aborted
 */
export async function ablate(options: AblateOptions): Promise<Ablation> {
  const { request, signal } = options;
  const { output, chosen, seeds } = request;
  await makeFolder(output);
  await using _lock = await lockFolder(output);
  await openAblation(request);
  await finishStart(request, options);
  const runs = Array.from({ length: seeds }, (_, i) =>
    chosen.map((variant) => ({ variant, seed: i + 1 })),
  ).flat();
  for (const [i, { variant, seed }] of runs.entries()) {
    signal?.throwIfAborted();
    options.onRun({ variant, seed, number: i + 1, total: runs.length });
    const isNew = await finishRun(request, variant, seed, options);
    if (isNew) await writeTable(options);
  }
  if (options.speed) await measureSpeed(request, options.speed, options);
  // The lock is held until it is written.
  return await writeTable(options);
}

async function makeFolder(path: string): Promise<void> {
  try {
    await checkWritableFolder(path);
    await mkdir(path, { recursive: true });
  } catch (error) {
    if (errorCode(error) === 'EEXIST')
      throw new InputError(`${path}: this is a file; name a folder for the ablation.`);
    throw describeWriteError(path, error);
  }
}

/** Writes the table of all runs that are finished. */
async function writeTable(options: AblateOptions): Promise<Ablation> {
  const { request, bootstrap, bootstrapSeed } = options;
  const { output, baseline, split, data } = request;
  const { runs, start } = await readRuns(request);
  const [first] = runs;
  const speed = await readSpeed(output);
  const ablation: Ablation = {
    version: version(),
    baseline,
    data: { source: data, split, images: first.result.data.images },
    bootstrap: { resamples: bootstrap, seed: bootstrapSeed },
    machine: first.result.machine,
    rows: tableRows(runs, { baseline, bootstrap, bootstrapSeed }, start),
    ...(speed && { speed }),
  };
  await writeFileAtomic(join(output, 'ablation.json'), `${JSON.stringify(ablation, null, 2)}\n`);
  await writeFileAtomic(join(output, 'ablation.md'), formatAblation(ablation, 'markdown'));
  return ablation;
}
