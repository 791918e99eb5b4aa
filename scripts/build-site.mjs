/**
 * Builds the page that captions by itself, for any static host, with a model beside it: into dist/static/.
 *
 *   npm run site              with the bundled model
 *   npm run site -- MODEL     with another: a folder, a weight file, or a hub id
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = join(root, 'dist/static');
const [model = 'refcap-small'] = process.argv.slice(2);

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

run('scripts/setup.mjs');
run('scripts/build-page.mjs', 'static');
const output = join(site, 'model');
rmSync(output, { recursive: true, force: true });
run('dist/cli/main.js', 'export', model, output, '--layout', 'web', '--dtype', 'int8');
console.log(site);
