/** The models that come with the package. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isThere } from '../base/files.ts';

/** What commands and library take where no model is named. */
export const bundledModel = 'refcap-small';

const packageModels = fileURLToPath(new URL('../../models', import.meta.url));

/** Their folders by name. */
export async function bundledModels(folder = packageModels): Promise<Map<string, string>> {
  const models = new Map<string, string>();
  for (const name of (await readdir(folder).catch(() => [])).sort())
    if (await isThere(join(folder, name, 'config.json'))) models.set(name, join(folder, name));
  return models;
}
