/** The built `refcap` command, as tests run it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../paths.ts';

/** The file that Node runs. */
export const main = join(repositoryRoot, 'dist/cli/main.js');

export interface CommandRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Variables beside those of the tests. */
  readonly env?: NodeJS.ProcessEnv;
  /** Its standard input. */
  readonly input?: string;
  /** Another file than `main`. */
  readonly program?: string;
}

/** Runs the command to its end. */
export function runRefcap(
  args: readonly string[],
  { cwd = repositoryRoot, env, input, program = main }: CommandOptions = {},
): CommandRun {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd,
    encoding: 'utf8',
    ...(env && { env: { ...process.env, ...env } }),
    ...(input !== undefined && { input }),
  });
  return { status, stdout, stderr };
}
