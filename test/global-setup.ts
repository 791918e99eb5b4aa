/** Builds dist/ once before the tests: tests of the commands, of worker threads and of the page use the built files. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from './paths.ts';

export default function setup(): void {
  const script = join(repositoryRoot, 'scripts/setup.mjs');
  execFileSync(process.execPath, [script], { cwd: repositoryRoot, stdio: 'inherit' });
}
