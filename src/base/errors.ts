/** Errors that a person can act on: one sentence naming the file, line or field, and the way out. */

/** The input, not the program, is wrong. The message is shown as it is, without a stack trace. */
export class InputError extends Error {
  override readonly name: string = 'InputError';
}

/** The command line or a configuration is wrong: exit code 2. */
export class UsageError extends InputError {
  override readonly name = 'UsageError';
}
