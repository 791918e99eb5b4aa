/** What clients are told of the model. */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { filesBelow } from '../base/folders.ts';
import { resolveModel } from '../hub/resolve.ts';
import type { BlipConfig } from '../model/config.ts';
import { HttpError } from './http/errors.ts';

export interface ServedModel {
  /** A bundled model's name, a hub id, or the last part of a path. */
  readonly name: string;
  /** Bytes of its files. */
  readonly size: number;
  /** When they were last changed. */
  readonly modified: Date;
  /** Pixels a side of what it sees. */
  readonly imageSize: number;
  /** The id that ends a caption. */
  readonly endId: number;
}

/** @param model as the captioner was given it, which has it here by now */
export async function describeModel(
  model: string,
  revision: string | undefined,
  { vision_config: vision, text_config: text }: BlipConfig,
): Promise<ServedModel> {
  const { path, source, name } = await resolveModel(model, { revision, offline: true });
  const files = await filesBelow(path).catch((): string[] => []);
  const found = await Promise.all((files.length > 0 ? files : [path]).map((file) => stat(file)));
  return {
    name: source === 'path' ? basename(resolve(path)) : name,
    size: found.reduce((sum, { size }) => sum + size, 0),
    modified: new Date(Math.max(...found.map(({ mtimeMs }) => mtimeMs))),
    imageSize: vision.image_size,
    endId: text.sep_token_id,
  };
}

/** Names are compared without Ollama's `:latest`, in any case, and with or without a hub id's owner. */
function plain(name: string): string {
  return name.toLowerCase().replace(/:latest$/, '');
}

/** @throws HttpError 404 for another model's name */
export function checkModelName(asked: string | null | undefined, { name }: ServedModel): void {
  if (asked === undefined || asked === null) return;
  const known = [plain(name), plain(name).split('/').at(-1)];
  if (known.includes(plain(asked))) return;
  throw new HttpError(404, `model ${JSON.stringify(asked)} not found; this server has ${name}.`);
}
