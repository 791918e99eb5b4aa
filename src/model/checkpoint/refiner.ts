/** The training-only layers on disk: `refinement.safetensors` beside a saved model. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { firstFew, InputError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { Scope } from '../../nn/scope.ts';
import { openWeights } from '../../weights/open.ts';
import type { WeightSource } from '../../weights/weight.ts';
import { encoderGraph, stepGraph } from '../blip.ts';
import type { BlipConfig } from '../config.ts';
import { type RefinerConfig, refinerFault, refinerSchema } from '../refiner/refiner.ts';

export const refinerFileName = 'refinement.safetensors';

const prefixes = ['refinement.', 'alignment.'];

/** Whether a parameter belongs to the training-only layers (and not to the base model). */
export function isRefinerParameter(name: string): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}

/** What the file says beside the tensors. */
export function refinerMetadata(config: RefinerConfig): Record<string, string> {
  return { format: 'pt', refiner: JSON.stringify(config) };
}

/** The opened file. Dispose it when the weights are read. */
export interface SavedRefiner extends AsyncDisposable {
  readonly config: RefinerConfig;
  readonly source: WeightSource;
}

/** Whether a model's folder has the layers. */
export async function hasRefiner(folder: string): Promise<boolean> {
  return (await readdir(folder)).includes(refinerFileName);
}

/**
 * Opens the layers saved beside a model.
 * @throws InputError when there are none, or listing what does not fit the model
 */
export async function openRefiner(folder: string, model: BlipConfig): Promise<SavedRefiner> {
  const path = join(folder, refinerFileName);
  if (!(await hasRefiner(folder)))
    throw new InputError(
      `${folder}: there is no ${refinerFileName}; the model was trained without refinement and alignment layers, or they were not kept.`,
    );
  const source = await openWeights(path);
  try {
    const text = source.metadata.get('refiner');
    if (text === undefined) throw new InputError(`${path}: the metadata has no 'refiner' field.`);
    const parsed = refinerSchema.safeParse(parseJson(text, path));
    if (!parsed.success)
      throw new InputError(`${path}: the metadata's 'refiner': ${parsed.error.issues[0].message}`);
    const fault = refinerFault(parsed.data, model.text_config);
    if (fault !== undefined) throw new InputError(`${path}: ${fault}.`);
    checkTensors(path, source, parsed.data, model);
    return { config: parsed.data, source, [Symbol.asyncDispose]: () => source.close() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The layers' parameters that inference needs. */
function checkTensors(
  path: string,
  source: WeightSource,
  refiner: RefinerConfig,
  model: BlipConfig,
): void {
  const scope = new Scope();
  encoderGraph(scope, model, { refiner });
  stepGraph(scope, model.text_config, { refiner });
  const faults = scope.parameters.flatMap(({ name, shape }) => {
    if (!isRefinerParameter(name)) return [];
    const found = source.tensors.get(name)?.shape;
    if (found === undefined) return [`${name} is missing`];
    return String(found) === String(shape) ? [] : [`${name} is [${found}] and must be [${shape}]`];
  });
  if (faults.length > 0) throw new InputError(`${path}: ${firstFew(faults)}.`, { details: faults });
}
