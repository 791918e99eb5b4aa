/** The standard output as a pipe that its reader may close. */

/** A reader that has seen enough, such as head, closes the pipe: the command then ends quietly. */
export function stopAtClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}
