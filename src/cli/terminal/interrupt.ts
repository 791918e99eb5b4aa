/** Ctrl-C, the same for every command that takes a while. */
import { InputError } from '../../base/errors.ts';

/**
 * Does a command's work. Ctrl-C (or SIGTERM) aborts its signal; work that ends for that reason is no
 * failure: `note` is added to "refcap: interrupted", and the exit code is 130. A second Ctrl-C ends the
 * process at once.
 */
export async function interruptible(
  work: (signal: AbortSignal) => Promise<void>,
  note: string,
): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    await work(stop.signal);
  } catch (error) {
    // Such as a full disk, where the state was to be saved.
    if (!stop.signal.aborted || error instanceof InputError) throw error;
    // A terminal has shown ^C on the line, perhaps behind one of progress.
    console.error(`${process.stderr.isTTY ? '\n' : ''}refcap: interrupted${note}`);
    process.exitCode = 130;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
