/** Where tests find the repository, their fixtures, and the larger fixtures that only some machines have. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('..', import.meta.url));
export const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));
const sharedFolder = fileURLToPath(new URL('../../shared/', import.meta.url));

/** The folder of large fixtures beside the repository, or undefined where there is none. */
export const shared: string | undefined = existsSync(sharedFolder) ? sharedFolder : undefined;
