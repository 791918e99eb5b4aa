/** What a folder is that is no model's, and where its model is. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { isThere } from '../../base/files.ts';
import { imageExtensions } from '../../data/images/formats.ts';
import { besideWeights } from './description.ts';

/** What a folder's own programs leave in it, and what it then is. */
const runs: readonly (readonly [mark: string, what: string])[] = [
  ['metrics.jsonl', 'a training run'],
  ['checkpoints', 'a training run'],
  ['stages.json', 'a training run of several stages'],
  ['member-1', 'a training run of several members'],
  ['ablation-config.json', 'an ablation'],
  ['results.json', 'an evaluation'],
];

/** What refcap's commands keep in a folder, such as 'a training run'; undefined when it is none of theirs. */
export function describeRunFolder(names: readonly string[]): string | undefined {
  // A model may have such files beside it.
  if (names.includes('tokenizer.json') || names.includes('vocab.txt')) return undefined;
  return runs.find(([mark]) => names.includes(mark))?.[1];
}

/**
 * @throws InputError saying what the folder is, when it is a run of refcap's (which may have a config.json too)
 *   or has no config.json
 */
export async function refuseOtherFolder(folder: string): Promise<void> {
  const names = (await readdir(folder)).sort();
  const run = describeRunFolder(names);
  if (run !== undefined) throw new InputError(`${folder}: ${await describeRunModel(folder, run)}.`);
  if (names.includes('config.json')) return;
  throw new InputError(`${folder}: ${await describeFolder(folder, names)}.`);
}

async function describeRunModel(folder: string, run: string): Promise<string> {
  const models = await modelsBelow(folder);
  const saved = ['best', 'last'].find((name) => models.includes(name)) ?? models[0];
  if (saved !== undefined) return `this is ${run}; its model is ${join(folder, saved)}`;
  return run.startsWith('a training')
    ? 'this training run was interrupted before it saved a model; go on with refcap train --resume'
    : `this is ${run} and holds no model; name the model that it is of`;
}

async function describeFolder(folder: string, names: readonly string[]): Promise<string> {
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (names.length === 0) return 'this folder is empty; name one that holds a model';
  if (names.includes('model_index.json'))
    return 'this is a pipeline of diffusers, which makes pictures and captions none';
  const models = await modelsBelow(folder);
  if (models.length > 0)
    return `there is no config.json here, but ${models.length === 1 ? 'a model' : 'models'} in ${models
      .slice(-3)
      .map((name) => join(folder, name))
      .join(', ')}; name ${models.length === 1 ? 'it' : 'one'}`;
  if (has(/\.(safetensors|bin|pth|pt|ckpt)$/)) return `there is no config.json; ${besideWeights}`;
  if (has(/\.(gguf|onnx|tflite|h5|msgpack)$/))
    return 'there is no config.json, and its weights are not those of PyTorch; take the model that they were made from';
  if (has(/\.(parquet|tar)$/)) return 'this is a dataset and no model';
  if (names.some((name) => imageExtensions.has(name.slice(name.lastIndexOf('.')).toLowerCase())))
    return 'this is a folder of pictures and no model; name it as the input, and a model with --model';
  return 'there is no config.json, so this is no model folder';
}

async function modelsBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    const isFolder = await stat(join(folder, name)).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
    if (isFolder && (await isThere(join(folder, name, 'config.json')))) found.push(name);
  }
  // checkpoint-500 before checkpoint-1000, so that the last is the newest.
  return found.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
