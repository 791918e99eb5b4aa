/** Values of options that several commands take, checked as they are parsed. */
import { InvalidArgumentError } from 'commander';

/** A finite number. @throws InvalidArgumentError, which commander turns into a sentence naming the option */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new InvalidArgumentError('not a number.');
  return value;
}
