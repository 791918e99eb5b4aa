/** Makes a fresh clone ready: installs the locked packages if they are not there, builds dist/ if sources changed. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lock } from './lock.mjs';
import { newest, time } from './newest.mjs';
import { isCurrent, pages } from './pages.mjs';

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
const isInstalled = () =>
  existsSync(installed) && time(installed) >= time(join(root, 'package-lock.json')) - 1000;

const stamp = join(root, 'dist/.tsbuildinfo');
const isBuilt = () =>
  time(stamp) >=
  Math.max(
    newest(join(root, 'src')),
    time(join(root, 'package.json')),
    time(join(root, 'tsconfig.json')),
  );

const isReady = () => isInstalled() && isBuilt() && isCurrent(pages.served);

if (!isReady()) {
  // Of two commands at a time, the second would install into what the first is about to use.
  const release = lock(join(root, '.setup.lock'), () =>
    console.error('Waiting for another set-up of this folder to end ...'),
  );
  if (!isInstalled()) {
    console.error('Installing packages (once) ...');
    // The compiler is among the packages for developers, also where the environment leaves those out.
    run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  if (!isBuilt()) {
    console.error('Building ...');
    const begun = new Date();
    // A build with errors leaves its stamp too.
    const again = () => rmSync(stamp, { force: true });
    for (const project of ['tsconfig.build.json', 'tsconfig.browser-build.json'])
      run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], again);
    // The compiler leaves it as it was where files are newer and say the same, and each command would build again.
    // What is changed while it builds is newer than its beginning.
    utimesSync(stamp, begun, begun);
  }
  run(process.execPath, ['scripts/build-page.mjs']);
  release();
}
