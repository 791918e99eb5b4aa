/** An ablation: the same training with and without the training-only layers, for several seeds. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/files.ts';
import { lockFolder } from '../base/lock.ts';
import { version } from '../train/version.ts';
import { openAblation } from './ablate-folder.ts';
import { formatAblation } from './ablate-format.ts';
import { readRuns } from './ablate-read.ts';
import { finishRun, type RunSettings } from './ablate-run.ts';
import type { AblationRequest } from './ablate-settings.ts';
import { measureSpeed, type Speed, type SpeedOptions } from './ablate-speed.ts';
import { type Ablation, tableRows } from './ablate-table.ts';

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
  await mkdir(output, { recursive: true });
  await using _lock = await lockFolder(output);
  await openAblation(request);
  const runs = Array.from({ length: seeds }, (_, i) =>
    chosen.map((variant) => ({ variant, seed: i + 1 })),
  ).flat();
  let table: Ablation | undefined;
  for (const [i, { variant, seed }] of runs.entries()) {
    signal?.throwIfAborted();
    options.onRun({ variant, seed, number: i + 1, total: runs.length });
    await finishRun(request, variant, seed, options);
    table = await writeTable(options);
  }
  if (options.speed) {
    const speed = await measureSpeed(request, options.speed, options);
    table = await writeTable(options, speed);
  }
  return table ?? writeTable(options);
}

async function writeTable(options: AblateOptions, speed?: Speed): Promise<Ablation> {
  const { request, bootstrap, bootstrapSeed } = options;
  const { output, baseline, variants, split, data } = request;
  const runs = await readRuns(output, [...variants.keys()]);
  const [first] = runs;
  const ablation: Ablation = {
    version: version(),
    baseline,
    data: { source: data, split, images: first.result.data.images },
    bootstrap: { resamples: bootstrap, seed: bootstrapSeed },
    machine: first.result.machine,
    rows: tableRows(runs, { baseline, bootstrap, bootstrapSeed }),
    ...(speed && { speed }),
  };
  await writeFileAtomic(join(output, 'ablation.json'), `${JSON.stringify(ablation, null, 2)}\n`);
  await writeFileAtomic(join(output, 'ablation.md'), formatAblation(ablation, 'markdown'));
  return ablation;
}
