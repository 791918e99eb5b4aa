/** Results in a store of objects. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writing } from '../../base/files.ts';
import { type StoreOptions, storeRequest } from '../../data/shards/store/requests.ts';
import type { ObjectStore } from './output.ts';

/** @param address of an object's beginning, such as s3://bucket/captions */
export function remoteStore(address: string, options: StoreOptions = {}): ObjectStore {
  const base = address.replace(/\/+$/, '');
  const put = (object: string, body: Uint8Array<ArrayBuffer>, isNew: boolean): Promise<Response> =>
    storeRequest(
      `${base}/${object}`,
      { method: 'PUT', body, ...(isNew && { headers: { 'if-none-match': '*' } }) },
      options,
      // Of two who create at once, S3 tells one that the other is at it.
      isNew ? [409, 412] : [],
    );
  return {
    name: base,
    async read(object) {
      const response = await storeRequest(`${base}/${object}`, { method: 'GET' }, options, [404]);
      const text = await response.text();
      return response.status === 404 ? undefined : text;
    },
    async create(object, text) {
      return (await put(object, Uint8Array.from(Buffer.from(text)), true)).ok;
    },
    async put(object, fill) {
      const folder = await mkdtemp(join(tmpdir(), 'refcap-'));
      try {
        const path = join(folder, object);
        const result = await fill(path);
        await writing(path, async () => put(object, Uint8Array.from(await readFile(path)), false));
        return result;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
