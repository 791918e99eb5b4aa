/**
 * Builds the pages by vite, if what they are made of changed: that of `refcap serve`, dist/web/, or, by
 * `node scripts/build-page.mjs static`, the one that captions by itself, dist/static/.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newest, time } from './newest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const isStatic = process.argv[2] === 'static';
const [folder, built] = isStatic ? ['web/static', 'dist/static'] : ['web', 'dist/web'];
const sources = Math.max(
  newest(join(root, 'web')),
  time(join(root, 'package-lock.json')),
  // The one has the library in it, the others how it tells of words and of figures.
  ...(isStatic ? ['src'] : ['src/explain/output', 'src/confidence']).map((folder) =>
    newest(join(root, folder)),
  ),
);
if (time(join(root, built, 'index.html')) < sources) {
  console.error('Building the page ...');
  const args = ['node_modules/vite/bin/vite.js', 'build', folder, '--logLevel', 'warn'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  process.exitCode = status ?? 1;
}
