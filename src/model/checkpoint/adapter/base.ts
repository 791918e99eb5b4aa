/** Finds the base model that an adapter was trained on. */
import { isAbsolute, join } from 'node:path';
import { InputError } from '../../../base/errors.ts';
import { isThere } from '../../../base/files.ts';
import { type ResolveOptions, resolveModel } from '../../../hub/resolve.ts';
import type { Adapter } from './adapter.ts';

/**
 * The path of the base: `hub.base` where it is given, else base_model_name_or_path, which may be a folder (seen from
 * here or from the adapter), a bundled model or a hub id.
 * @throws InputError when it is not named or cannot be found
 */
export async function findBase(
  { folder, config, configPath }: Pick<Adapter, 'folder' | 'config' | 'configPath'>,
  { base, revision: _of, ...hub }: ResolveOptions = {},
): Promise<string> {
  const name = base ?? config.base_model_name_or_path;
  if (!name)
    throw new InputError(
      `${configPath}: base_model_name_or_path is empty: this is a LoRA adapter, and its base model must be named with --base.`,
    );
  const beside = join(folder, name);
  if (base === undefined && !isAbsolute(name) && !(await isThere(name)) && (await isThere(beside)))
    return beside;
  try {
    const revision = base === undefined ? (config.revision ?? undefined) : undefined;
    return (await resolveModel(name, { ...hub, revision })).path;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      `${folder} is a LoRA adapter of ${JSON.stringify(name)}, which cannot be had: ${error.message} Or name its base model with --base.`,
      { cause: error },
    );
  }
}
