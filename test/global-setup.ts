/** Builds dist/ once before the tests: tests of the commands, of worker threads and of the page use the built files. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export default function setup(): void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const run = (...args: string[]): void => {
    execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  };
  for (const project of ['tsconfig.build.json', 'tsconfig.browser-build.json'])
    run('node_modules/typescript/bin/tsc', '-p', project);
  run('scripts/build-page.mjs');
}
