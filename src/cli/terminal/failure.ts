/** How a command that failed says so: one sentence, and never a stack trace that nobody asked for. */
import { CommanderError } from 'commander';
import { InputError, UsageError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';

/** Prints what went wrong. @returns the exit code */
export function reportFailure(error: unknown): number {
  // Commander has printed its sentence.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof InputError) {
    console.error(`refcap: ${error.message}`);
    return error instanceof UsageError ? 2 : 1;
  }
  if (process.env.REFCAP_DEBUG) console.error(error);
  else {
    const message = error instanceof Error ? error.message : String(error);
    const [line = ''] = message.split('\n');
    console.error(
      `refcap: unexpected error: ${line} (this is a bug; REFCAP_DEBUG=1 in the environment shows where)`,
    );
  }
  return 1;
}

let isPrintingWork = true;

/** From now on the command goes on where nobody reads what it prints: its work is something else. */
export function outliveReader(): void {
  isPrintingWork = false;
}

/** Ends the process where an error comes from outside of the command's own course. */
export function reportStrayErrors(): void {
  // A reader that has seen enough, such as head, closes the pipe: the command then ends quietly.
  process.stdout.on('error', (error) => {
    const code = errorCode(error);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new InputError('the standard output: the disk is full; free some space and run again.');
    if (code !== 'EPIPE') throw error;
    if (isPrintingWork) process.exit(0);
  });
  // What is told on the way may go unread: the work goes on.
  process.stderr.on('error', (error) => {
    if (errorCode(error) !== 'EPIPE') throw error;
  });
  // Rejections that nobody waits for come here too.
  process.on('uncaughtException', (error) => process.exit(reportFailure(error)));
}
