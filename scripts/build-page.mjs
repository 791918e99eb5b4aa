/**
 * Builds a page by vite, if what it is made of changed: that of `refcap serve`, or, by
 * `node scripts/build-page.mjs static`, the one that captions by itself.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isCurrent, pages } from './pages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = process.argv[2] === 'static' ? pages.static : pages.served;
if (!isCurrent(page)) {
  console.error('Building the page ...');
  const args = ['node_modules/vite/bin/vite.js', 'build', page.source, '--logLevel', 'warn'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  process.exitCode = status ?? 1;
}
