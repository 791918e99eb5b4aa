/** What tells a model from others, wherever its files lie: a hash of all weights that write. */
import { createHash } from 'node:crypto';
import { type ResolveOptions, resolveModel } from '../../hub/resolve.ts';
import { hashWeights } from './hash.ts';
import { memberFolders } from './members.ts';
import { loadModel } from './pretrained.ts';

/**
 * @param model folder or file, bundled name, or hub id
 * @param options how it is found, and of a model with further members how many write together
 * @throws InputError when it cannot be read
 */
export async function modelFingerprint(
  model: string,
  { hub, members }: { readonly hub?: ResolveOptions; readonly members?: number | undefined } = {},
): Promise<string> {
  const { path } = await resolveModel(model, hub);
  const hash = createHash('sha256');
  for (const member of [path, ...(await memberFolders(path, members))]) {
    await using loaded = await loadModel(member, hub === undefined ? {} : { hub });
    hash.update(await hashWeights(loaded.weights));
  }
  return hash.digest('hex');
}
