/** Latency and memory of captioning with and without the training-only layers, in processes of their own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InputError } from '../base/errors.ts';
import { readTextIfThere, writeFileAtomic } from '../base/files.ts';
import { imagesOfSplit } from '../data/dataset.ts';
import { readDataset } from '../data/dataset-read.ts';
import { placeOf } from './ablate-result.ts';
import type { AblationRequest } from './ablate-settings.ts';
import { type MeasureTask, measurementSchema } from './ablate-speed-task.ts';
import { median } from './ablate-statistics.ts';

export interface SpeedOptions {
  /** Captions of the split's first so many pictures. */
  readonly images: number;
  /** Measurements of each model, taking turns. */
  readonly rounds: number;
}

const entrySchema = z.object({
  variant: z.string(),
  layers: z.enum(['none', 'dropped', 'kept']),
  /** Medians over the rounds: milliseconds a picture, words a caption, largest resident set. */
  milliseconds: z.number(),
  words: z.number(),
  peakMiB: z.number(),
  /** Of each round. */
  rounds: z.array(measurementSchema),
});

const speedSchema = z.object({
  images: z.int(),
  rounds: z.int(),
  threads: z.int().optional(),
  entries: z.array(entrySchema),
});
export type Speed = z.infer<typeof speedSchema>;

export interface SpeedSettings {
  readonly threads?: number;
  readonly signal?: AbortSignal;
  onNote(note: string): void;
}

/**
 * Measures the first seed's models of the baseline and of the last variant that has both layers, the
 * latter with its layers dropped and kept. What was measured before under the same settings is kept.
 * @throws InputError when a model or picture cannot be used; the signal's reason when aborted
 */
export async function measureSpeed(
  request: AblationRequest,
  { images, rounds }: SpeedOptions,
  { threads, signal, onNote }: SpeedSettings,
): Promise<Speed> {
  const models = modelsOf(request);
  const path = join(request.output, 'results', 'speed.json');
  const before = speedSchema.safeParse(JSON.parse((await readTextIfThere(path)) ?? 'null'));
  const isSame =
    before.success &&
    before.data.images === images &&
    before.data.rounds === rounds &&
    before.data.threads === threads &&
    String(before.data.entries.map(nameOf)) === String(models.map(nameOf));
  if (isSame) return before.data;
  const paths = imagesOfSplit(await readDataset(request.data), request.split)
    .slice(0, images)
    .map(({ path: file }) => file);
  const measured = models.map((): z.infer<typeof measurementSchema>[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, { folder, layers }] of models.entries()) {
      onNote(`latency, round ${round + 1} of ${rounds}: ${nameOf(models[i])}`);
      const task = { model: join(folder, 'best'), keepRefiner: layers === 'kept', images: paths };
      measured[i].push(
        await inChild({ ...task, ...(threads !== undefined && { threads }) }, signal),
      );
    }
  const speed: Speed = {
    images: paths.length,
    rounds,
    ...(threads !== undefined && { threads }),
    entries: models.map(({ variant, layers }, i) => ({
      variant,
      layers,
      milliseconds: median(measured[i].map(({ milliseconds }) => milliseconds)),
      words: median(measured[i].map(({ words }) => words)),
      peakMiB: median(measured[i].map(({ peakMiB }) => peakMiB)),
      rounds: measured[i],
    })),
  };
  await writeFileAtomic(path, `${JSON.stringify(speed, null, 2)}\n`);
  return speed;
}

interface SpeedModel {
  readonly variant: string;
  readonly folder: string;
  readonly layers: Speed['entries'][number]['layers'];
}

function nameOf({ variant, layers }: Pick<SpeedModel, 'variant' | 'layers'>): string {
  return layers === 'none' ? variant : `${variant}, layers ${layers}`;
}

function modelsOf({ variants, chosen, baseline, output }: AblationRequest): SpeedModel[] {
  const layersOf = (name: string): number => {
    const config = variants.get(name);
    return (config?.refinement ? 1 : 0) + (config?.alignment ? 1 : 0);
  };
  const model = (variant: string, layers: SpeedModel['layers']): SpeedModel => ({
    variant,
    layers,
    folder: placeOf(output, variant, 1).folder,
  });
  const last = chosen.filter((name) => layersOf(name) === 2).at(-1);
  const ofBaseline =
    chosen.includes(baseline) && baseline !== last
      ? [model(baseline, layersOf(baseline) > 0 ? 'dropped' : 'none')]
      : [];
  return last === undefined
    ? ofBaseline
    : [...ofBaseline, model(last, 'dropped'), model(last, 'kept')];
}

/** A child runs built files; when this file runs as TypeScript, those of dist/. */
function childPath(): string {
  const here = import.meta.url;
  const url = here.endsWith('.ts')
    ? new URL('../../dist/evaluate/ablate-speed-child.js', here)
    : new URL('./ablate-speed-child.js', here);
  return fileURLToPath(url);
}

async function inChild(
  task: MeasureTask,
  signal?: AbortSignal,
): Promise<z.infer<typeof measurementSchema>> {
  const child = spawn(process.execPath, [childPath()], {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  child.stdin.end(JSON.stringify(task));
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.toArray(),
    child.stderr.toArray(),
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    }),
  ]);
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8').trim();
  signal?.throwIfAborted();
  if (code !== 0) throw new InputError(text(stderr) || `a measurement ended with code ${code}`);
  return measurementSchema.parse(JSON.parse(text(stdout)));
}
