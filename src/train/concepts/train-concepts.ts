/** The concepts of a run's training images: fitted once, kept in the run's folder, and fed to its steps. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { bytesOf } from '../../base/bytes.ts';
import { isThere } from '../../base/files.ts';
import type { SessionOptions } from '../../engine/runtime/session.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import type { Classifier } from '../../model/checkpoint/tower.ts';
import type { ConceptConfig } from '../../model/concepts/config.ts';
import { openWeights } from '../../weights/open.ts';
import { writeSafetensors } from '../../weights/safetensors/write.ts';
import { convert, type WeightTensor } from '../../weights/weight.ts';
import type { FeatureCache } from '../features/cache.ts';
import type { ConceptFeed } from '../loop/images.ts';
import { type FittedConcepts, fitConcepts, type RowConcepts, type SpokenWords } from './fit.ts';
import { poolImages } from './pooled.ts';

export interface TrainConceptsInput {
  readonly config: ConceptConfig;
  readonly cache: FeatureCache;
  readonly width: number;
  readonly classifier: Classifier | undefined;
  /** Of each image, in the cache's order. */
  readonly spoken: readonly SpokenWords[];
  readonly folds: number;
  readonly seed: number;
  /** Tells towers and data apart. */
  readonly fingerprint: string;
  readonly session: SessionOptions;
  readonly signal?: AbortSignal;
  onNote(note: string): void;
}

const fileName = 'concepts.safetensors';

/**
 * Reads what was fitted in this folder, or fits it and keeps it there, so that a run that goes on shows the
 * same concepts.
 * @throws InputError naming a file that cannot be read or written; the signal's reason when aborted
 */
export async function trainConcepts(
  folder: string,
  input: TrainConceptsInput,
): Promise<FittedConcepts> {
  const path = join(folder, fileName);
  const key = createHash('sha256')
    .update(JSON.stringify([input.config, input.fingerprint, input.folds, input.seed]))
    .update(JSON.stringify([input.spoken.length, input.cache.views]))
    .digest('hex');
  const kept = await readKept(path, key);
  if (kept) return kept;
  const { cache, spoken, width, classifier, session, signal } = input;
  const abortable = { session, ...(signal && { signal }) };
  const pooled = await poolImages(cache, spoken.length, width, classifier, abortable);
  const { folds, seed } = input;
  const onLayer = (layer: number, layers: number) =>
    input.onNote(`fitting concepts to the training images, ${layer} of ${layers}`);
  const options = { folds, seed, onLayer, ...abortable };
  const fitted = await fitConcepts(input.config, pooled, spoken, options);
  await keep(path, key, fitted);
  return fitted;
}

/** Concepts of images by their places and views. */
export function conceptFeed(
  { words, probabilities }: RowConcepts,
  tokens: number,
  views: number,
): ConceptFeed {
  return (places, drawn) => {
    const wordData = new Int32Array(places.length * tokens * 2);
    const likely = new Float32Array(places.length * tokens);
    for (const [i, place] of places.entries()) {
      const row = place * views + drawn[i];
      wordData.set(words.subarray(row * tokens * 2, (row + 1) * tokens * 2), i * tokens * 2);
      likely.set(probabilities.subarray(row * tokens, (row + 1) * tokens), i * tokens);
    }
    return {
      conceptWords: tensor('i32', [places.length, tokens, 2], wordData),
      conceptProbabilities: tensor('f32', [places.length, tokens], likely),
    };
  };
}

/** Targets of what scores concepts, while the tower is trained: images in one view. */
export function scorerTargets(
  config: ConceptConfig,
  { classes }: FittedConcepts,
  spoken: readonly SpokenWords[],
): (places: readonly number[]) => Record<string, Tensor> {
  const count = config.class_groups.length;
  return (places) => {
    const said = new Float32Array(places.length * count);
    const held = new Float32Array(places.length * config.words.length);
    for (const [i, place] of places.entries()) {
      said.set(classes.subarray(place * count, (place + 1) * count), i * count);
      for (const [at, word] of config.words.entries())
        if (spoken[place].words.has(word)) held[i * config.words.length + at] = 1;
    }
    return {
      ...(count > 0 && { classTargets: tensor('f32', [places.length, count], said) }),
      ...(config.words.length > 0 && {
        wordTargets: tensor('f32', [places.length, config.words.length], held),
      }),
    };
  };
}

const rowNames = ['rows.words', 'rows.probabilities', 'rows.right'] as const;

async function keep(
  path: string,
  key: string,
  { parameters, rows, classes }: FittedConcepts,
): Promise<void> {
  const tensors: [string, WeightTensor][] = [
    ['rows.words', { dtype: 'i32', shape: [rows.words.length], data: bytesOf(rows.words) }],
    [
      'rows.probabilities',
      { dtype: 'f32', shape: [rows.probabilities.length], data: bytesOf(rows.probabilities) },
    ],
    ['rows.right', { dtype: 'u8', shape: [rows.right.length], data: bytesOf(rows.right) }],
  ];
  tensors.push([
    'rows.classes',
    convert({ dtype: 'f32', shape: [classes.length], data: bytesOf(classes) }, 'f16'),
  ]);
  for (const [name, values] of parameters)
    tensors.push([name, { dtype: 'f32', shape: [values.length], data: bytesOf(values) }]);
  await writeSafetensors(path, tensors, { metadata: { key } });
}

async function readKept(path: string, key: string): Promise<FittedConcepts | undefined> {
  if (!(await isThere(path))) return undefined;
  await using source = await openWeights(path);
  if (source.metadata.get('key') !== key) return undefined;
  const copyOf = async (name: string) => Uint8Array.from((await source.read(name)).data).buffer;
  const [words, probabilities, right] = await Promise.all(rowNames.map(copyOf));
  const parameters = new Map<string, Float32Array>();
  for (const name of source.tensors.keys())
    if (!name.startsWith('rows.')) parameters.set(name, await source.readFloat32(name));
  return {
    parameters,
    classes: await source.readFloat32('rows.classes'),
    rows: {
      words: new Int32Array(words),
      probabilities: new Float32Array(probabilities),
      right: new Uint8Array(right),
    },
  };
}
