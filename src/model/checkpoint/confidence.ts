/** Puts a model's confidence into its config.json. */
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { readTextIfThere, writeFileAtomic } from '../../base/files.ts';
import { parseJson } from '../../base/json.ts';
import type { ConfidenceConfig } from '../../confidence/config.ts';
import { pythonJson } from './save.ts';

/** @throws InputError when the folder has no config.json that is an object */
export async function checkConfigJson(folder: string): Promise<object> {
  const path = join(folder, 'config.json');
  const text = await readTextIfThere(path);
  const json = text === undefined ? undefined : parseJson(text, path);
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw new InputError(
    json === undefined
      ? `${folder}: there is no config.json to write the confidence into; of an adapter save the whole model first, with refcap convert.`
      : `${path}: this is not a JSON object.`,
  );
}

/** Whether a model's config.json speaks of its confidence. @throws as `checkConfigJson` */
export async function hasConfidence(folder: string): Promise<boolean> {
  return 'confidence_config' in (await checkConfigJson(folder));
}

/**
 * Writes `confidence_config`, all other fields as they are.
 * @throws InputError when config.json cannot be read or written
 */
export async function saveConfidence(folder: string, confidence: ConfidenceConfig): Promise<void> {
  const json = await checkConfigJson(folder);
  const text = pythonJson({ ...json, confidence_config: confidence });
  await writeFileAtomic(join(folder, 'config.json'), `${text}\n`);
}
