/** The work of `refcap ablate`: the ablation that the flags ask for, and what is told of it. */

import { ablate } from '../../ablate/ablate.ts';
import { formatAblation } from '../../ablate/format.ts';
import type { AblationFormat } from '../../ablate/output-formats.ts';
import {
  type AblationFlags,
  type AblationRequest,
  resolveAblation,
} from '../../ablate/settings.ts';
import { UsageError } from '../../base/errors.ts';
import { applySetting, readConfigFile, type Settings } from '../../train/config/file.ts';
import { type DatasetFlags, readingOf } from '../options/dataset.ts';
import { hubOptions } from '../options/hub.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { ProgressLine } from '../terminal/progress.ts';
import { eventPrinter, progressLine } from '../terminal/training-lines.ts';

export interface AblateFlags extends AblationFlags, DatasetFlags {
  base?: string;
  config?: string;
  set?: string[];
  threads?: number;
  device?: string;
  memoryLimit?: number;
  bootstrap: number;
  bootstrapSeed: number;
  speedImages: number;
  speedRounds: number;
  format: AblationFormat;
}

/** @throws InputError where settings, data or the output folder cannot be used */
export async function runAblate(flags: AblateFlags): Promise<void> {
  for (const [name, value, least] of [
    ['--bootstrap', flags.bootstrap, 0],
    ['--bootstrap-seed', flags.bootstrapSeed, 0],
    ['--speed-images', flags.speedImages, 0],
    ['--speed-rounds', flags.speedRounds, 1],
  ] as const)
    if (!Number.isInteger(value) || value < least)
      throw new UsageError(`${name} must be a whole number of at least ${least}.`);
  const request = await requestOf(flags);
  await interruptible(async (signal) => {
    const ablation = await ablate(optionsOf(request, flags, signal));
    process.stdout.write(formatAblation(ablation, flags.format));
    console.error(`refcap: written to ${request.output}/ablation.json and ablation.md`);
  }, '; the state is saved. Run the same command again to go on.');
}

async function requestOf(flags: AblateFlags): Promise<AblationRequest> {
  let file: Settings = flags.config === undefined ? {} : await readConfigFile(flags.config);
  for (const text of flags.set ?? []) file = applySetting(file, text);
  const { data, tower, model, output, split, seeds, cache, baseline, variants } = flags;
  const given = { data, tower, model, output, split, seeds, cache, baseline, variants };
  const request = resolveAblation(
    file,
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
  return { ...request, reading: readingOf(flags) };
}

function optionsOf(
  request: AblationRequest,
  { threads, device, memoryLimit, ...flags }: AblateFlags,
  signal: AbortSignal,
): Parameters<typeof ablate>[0] {
  let printer: ReturnType<typeof eventPrinter> | undefined;
  let captioned: ProgressLine | undefined;
  const told = new Set<string>();
  return {
    request,
    ...(threads !== undefined && { threads }),
    ...(device !== undefined && { device }),
    ...(memoryLimit !== undefined && { memoryLimit: memoryLimit * 2 ** 30 }),
    bootstrap: flags.bootstrap,
    bootstrapSeed: flags.bootstrapSeed,
    ...(flags.speedImages > 0 && {
      speed: { images: flags.speedImages, rounds: flags.speedRounds },
    }),
    signal,
    hub: hubOptions(flags, signal),
    onRun: ({ variant, seed, number: place, total }) => {
      printer = undefined;
      console.error(`refcap: run ${place} of ${total}: ${variant}, seed ${seed}`);
    },
    onNote: (note) => {
      // What every run says of the same data is told once.
      if (!told.has(note)) console.error(`refcap: ${note}`);
      told.add(note);
    },
    onFeatures: progressLine('image features'),
    onEvent: (event, { epochs }) => {
      printer ??= eventPrinter(epochs);
      printer(event);
    },
    onCaptioned: (done, total) => {
      captioned ??= new ProgressLine();
      captioned.reach(done, total);
      if (done < total) return;
      captioned.clear();
      captioned = undefined;
    },
  };
}
