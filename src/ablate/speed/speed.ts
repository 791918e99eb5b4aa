/** Latency and memory of captioning with and without the training-only layers. */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfThere, writeFileAtomic } from '../../base/files.ts';
import { parseJson } from '../../base/json.ts';
import { median } from '../../base/median.ts';
import { imagesOfSplit } from '../../data/datasets/dataset.ts';
import { readDataset } from '../../data/datasets/read.ts';
import { refinerFileName } from '../../model/checkpoint/refiner.ts';
import { readRunEvaluation } from '../describe.ts';
import { type RunPlace, runPlace } from '../result.ts';
import type { AblationRequest } from '../settings.ts';
import { measureInChild } from './process.ts';
import { type Measurement, type Speed, type SpeedModel, speedName, speedSchema } from './schema.ts';

export interface SpeedOptions {
  /** Captions of the split's first so many pictures. */
  readonly images: number;
  /** Measurements of each model, taking turns. */
  readonly rounds: number;
}

export interface SpeedSettings {
  readonly threads?: number;
  readonly device?: string;
  readonly signal?: AbortSignal;
  onNote(note: string): void;
}

const fileOf = (output: string): string => join(output, 'results', 'speed.json');

/**
 * What was measured before, if anything of this shape: the rest is measured anew.
 * @throws InputError when the file is not JSON
 */
export async function readSpeed(output: string): Promise<Speed | undefined> {
  const path = fileOf(output);
  const text = await readTextIfThere(path);
  return text === undefined ? undefined : speedSchema.safeParse(parseJson(text, path)).data;
}

/**
 * Measures the first seed's models of the baseline and of the last variant with both layers, the latter
 * with its layers dropped and kept, each time in a new process. Leaves `results/speed.json`; what was
 * measured before in the same way is kept.
 * @throws InputError when a model or picture cannot be used; the signal's reason when aborted
 */
export async function measureSpeed(
  request: AblationRequest,
  { images, rounds }: SpeedOptions,
  { threads, device, signal, onNote }: SpeedSettings,
): Promise<void> {
  const models = modelsOf(request);
  if (models.length === 0) return;
  const processor = {
    ...(threads !== undefined && { threads }),
    ...(device !== undefined && { device }),
  };
  const asked = { images, rounds, ...processor };
  const before = await readSpeed(request.output);
  const description = (of: Speed['asked'], list: readonly SpeedModel[]): string =>
    JSON.stringify([of, list.map(speedName)]);
  if (before && description(before.asked, before.entries) === description(asked, models)) return;
  const paths = await picturesOf(request, models[0], images);
  const measured = models.map((): Measurement[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, model] of models.entries()) {
      onNote(`latency, round ${round + 1} of ${rounds}: ${speedName(model)}`);
      const task = {
        model: join(placeIn(request, model).folder, 'best'),
        keepRefiner: model.layers === 'kept',
        images: paths,
        ...processor,
      };
      measured[i].push(await measureInChild(task, signal));
    }
  const entries = await Promise.all(
    models.map(async (model, i) => ({
      ...model,
      weightsMiB: await weightsMiB(request, model),
      median: {
        milliseconds: median(measured[i].map(({ milliseconds }) => milliseconds)),
        words: median(measured[i].map(({ words }) => words)),
        peakMiB: median(measured[i].map(({ peakMiB }) => peakMiB)),
      },
      rounds: measured[i],
    })),
  );
  const speed: Speed = { asked, images: paths.length, entries };
  await mkdir(join(request.output, 'results'), { recursive: true });
  await writeFileAtomic(fileOf(request.output), `${JSON.stringify(speed, null, 2)}\n`);
}

function placeIn({ output }: AblationRequest, { variant }: SpeedModel): RunPlace {
  return runPlace(output, variant, 1);
}

function modelsOf({ variants, chosen, baseline }: AblationRequest): SpeedModel[] {
  const layersOf = (name: string): number => {
    const config = variants.get(name);
    return (config?.refinement ? 1 : 0) + (config?.alignment ? 1 : 0);
  };
  const last = chosen.filter((name) => layersOf(name) === 2).at(-1);
  const models: SpeedModel[] = [];
  if (chosen.includes(baseline) && baseline !== last)
    models.push({ variant: baseline, layers: layersOf(baseline) > 0 ? 'dropped' : 'none' });
  if (last !== undefined)
    models.push({ variant: last, layers: 'dropped' }, { variant: last, layers: 'kept' });
  return models;
}

async function weightsMiB(request: AblationRequest, model: SpeedModel): Promise<number> {
  const folder = join(placeIn(request, model).folder, 'best');
  const names = ['model.safetensors', ...(model.layers === 'kept' ? [refinerFileName] : [])];
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20;
}

/** The split's first pictures, of those that could be captioned. */
async function picturesOf(
  request: AblationRequest,
  model: SpeedModel,
  count: number,
): Promise<string[]> {
  const { captions } = await readRunEvaluation(placeIn(request, model), request.split, false);
  const readable = new Set(captions.map(({ file }) => file));
  return imagesOfSplit(await readDataset(request.data, request.reading), request.split)
    .filter(({ id }) => readable.has(id))
    .slice(0, count)
    .map(({ path }) => path);
}
