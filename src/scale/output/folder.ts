/** Results in a folder, which many machines may share. */
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { errorCode, readTextIfThere, temporaryPath, writing } from '../../base/files.ts';
import { checkWritableFolder } from '../../base/writable.ts';
import type { ObjectStore } from './output.ts';

/** @throws InputError when the folder cannot be made or written */
export async function folderStore(folder: string): Promise<ObjectStore> {
  await checkWritableFolder(folder);
  await writing(folder, () => mkdir(folder, { recursive: true }));
  return {
    name: folder,
    read: (object) => readTextIfThere(join(folder, object)),
    create: (object, text) => createFile(join(folder, object), text),
    put: (object, fill) => putFile(join(folder, object), fill),
  };
}

/** A link to a whole file is made or refused at once. */
async function createFile(path: string, text: string): Promise<boolean> {
  return writing(path, async () => {
    const temporary = temporaryPath(path);
    try {
      await writeSynced(temporary, text);
      await link(temporary, path);
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function putFile<T>(path: string, fill: (path: string) => Promise<T>): Promise<T> {
  const temporary = temporaryPath(path);
  try {
    const result = await fill(temporary);
    await writing(path, () => rename(temporary, path));
    return result;
  } catch (error) {
    // Nobody knows the temporary name.
    if (error instanceof InputError && error.message.startsWith(temporary))
      throw new InputError(`${path}${error.message.slice(temporary.length)}`);
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
