/** The pages that vite builds: where from, where to, and whether what they are made of changed since. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newest, time } from './newest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** `folders`: what is in the page beside its own sources. */
export const pages = {
  // How the library tells of words and of figures.
  served: { source: 'web', built: 'dist/web', folders: ['src/explain/output', 'src/confidence'] },
  static: { source: 'web/static', built: 'dist/static', folders: ['src'] },
};

export function isCurrent({ built, folders }) {
  const sources = Math.max(
    time(join(root, 'package-lock.json')),
    ...['web', ...folders].map((folder) => newest(join(root, folder))),
  );
  return time(join(root, built, 'index.html')) >= sources;
}
