/** Builds the page of `refcap serve`, dist/web/, by vite, if what it is made of changed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newest, time } from './newest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = Math.max(newest(join(root, 'web')), time(join(root, 'package-lock.json')));
if (time(join(root, 'dist/web/index.html')) < sources) {
  console.error('Building the page ...');
  const args = ['node_modules/vite/bin/vite.js', 'build', 'web', '--logLevel', 'warn'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  process.exitCode = status ?? 1;
}
