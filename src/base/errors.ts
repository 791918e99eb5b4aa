/** Errors that a person can act on: one sentence naming the file, line or field, and the way out. */

/** The input, not the program, is wrong. The message is shown as it is, without a stack trace. */
export class InputError extends Error {
  override readonly name: string = 'InputError';
  /** Where much is wrong, all of it; the message names the first few. Commands print it with --verbose. */
  readonly details: readonly string[];
  constructor(
    message: string,
    { details = [], ...options }: ErrorOptions & { details?: readonly string[] } = {},
  ) {
    super(message, options);
    this.details = details;
  }
}

/** The command line or a configuration is wrong: exit code 2. */
export class UsageError extends InputError {
  override readonly name = 'UsageError';
}

/** The first few of a list in one line, with how many more there are. */
export function firstFew(names: readonly string[], most = 3): string {
  const more = names.length - most;
  return names.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
