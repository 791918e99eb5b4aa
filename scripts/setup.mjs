/** Makes a fresh clone ready: installs the locked packages if they are not there, builds dist/ if sources changed. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newest, time } from './newest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`refcap needs Node 20.19 or later; this is ${process.versions.node}.`);
  process.exit(1);
}

function run(command, args, onFailure = () => {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    // Results alone go to stdout: what set-up prints belongs on stderr.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (result.status !== 0) {
    onFailure();
    console.error(`Set-up failed at: ${command} ${args.join(' ')}`);
    process.exit(result.status ?? 1);
  }
}

const installed = join(root, 'node_modules/.package-lock.json');
if (!existsSync(installed) || time(installed) < time(join(root, 'package-lock.json')) - 1000) {
  console.error('Installing packages (once) ...');
  // The compiler is among the packages for developers, also where the environment leaves those out.
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
}

const stamp = join(root, 'dist/.tsbuildinfo');
const sources = Math.max(
  newest(join(root, 'src')),
  time(join(root, 'package.json')),
  time(join(root, 'tsconfig.json')),
);
if (time(stamp) < sources) {
  console.error('Building ...');
  // A build with errors leaves its stamp too.
  const again = () => rmSync(stamp, { force: true });
  for (const project of ['tsconfig.build.json', 'tsconfig.browser-build.json'])
    run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], again);
}
run(process.execPath, ['scripts/build-page.mjs']);
