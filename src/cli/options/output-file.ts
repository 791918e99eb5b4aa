/** Files that commands write: looked at before the work begins, so that nothing is lost and no work is in vain. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../../base/errors.ts';

/**
 * @param mayReplace whether a file that is there may be replaced
 * @throws InputError when a file is there that must stay, or nothing can be written there
 */
export async function checkOutputFile(
  path: string,
  mayReplace: boolean | (() => Promise<boolean>),
): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw new InputError(`${path}: this is a folder; name a file.`);
  if (found) {
    if (typeof mayReplace === 'boolean' ? mayReplace : await mayReplace()) return;
    throw new InputError(`${path}: the file is there; choose another, or --overwrite.`);
  }
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory())
    throw new InputError(`${path}: the folder does not exist; create it first.`);
}
