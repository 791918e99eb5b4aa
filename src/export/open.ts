/** What every export begins with: the model and its members, and a place for what is written. */
import { readdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InputError } from '../base/errors.ts';
import { errorCode } from '../base/files.ts';
import { isDesktopFile } from '../base/folders.ts';
import { checkWritableFolder } from '../base/writable.ts';
import { type ResolveOptions, resolveModel } from '../hub/resolve.ts';
import { checkMember } from '../model/checkpoint/member-check.ts';
import { memberFolders } from '../model/checkpoint/members.ts';
import { loadModel, type PretrainedModel } from '../model/checkpoint/pretrained.ts';

export interface OpenOptions {
  /** Of a model with further members, how many write together. Default all. */
  readonly members?: number;
  /** Pixels a side other than the config's; position embeddings are interpolated. */
  readonly imageSize?: number;
  readonly hub?: ResolveOptions;
  readonly signal?: AbortSignal;
}

/**
 * Opens a model (folder, file, bundled name or hub id) and its members for `use`, which is told where it lies too.
 * @throws InputError when it cannot be read, or its members do not fit each other
 */
export async function withModels<T>(
  name: string,
  options: OpenOptions,
  use: (models: readonly PretrainedModel[], path: string) => Promise<T>,
): Promise<T> {
  const { path } = await resolveModel(name, options.hub);
  const folders = await memberFolders(path, options.members);
  const models: PretrainedModel[] = [];
  try {
    for (const folder of [path, ...folders]) {
      models.push(await loadModel(folder, loadOptions(options)));
      checkMember(models[0], models[models.length - 1]);
    }
    return await use(models, path);
  } finally {
    for (const model of models) await model[Symbol.asyncDispose]();
  }
}

function loadOptions({ hub, imageSize }: OpenOptions) {
  return { hub, ...(imageSize !== undefined && { imageSize }) };
}

/** @throws InputError when the folder has something in it, or cannot be written */
export async function checkNewFolder(folder: string): Promise<void> {
  await checkWritableFolder(dirname(resolve(folder)));
  const entries = await readdir(folder).catch((error: unknown): string[] => {
    if (errorCode(error) === 'ENOENT') return [];
    throw new InputError(`${folder}: this is not a folder; choose another place for the export.`);
  });
  if (!entries.every(isDesktopFile))
    throw new InputError(
      `${folder}: the folder exists and is not empty; choose another place for the export.`,
    );
}
