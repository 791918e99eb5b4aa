/** Runs one of the programs beside it in a process of its own and reads the JSON that it prints last. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @param program a file of this folder's `programs/` */
export async function runProgram<T>(
  program: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<T> {
  const file = fileURLToPath(new URL(`programs/${program}`, import.meta.url));
  const { stdout } = await run(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', file, ...args],
    { env: { ...process.env, ...environment }, maxBuffer: 1 << 26 },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
