/** Values of options that several commands take, checked as they are parsed. */
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';

/** A finite number. @throws InvalidArgumentError, which commander turns into a sentence naming the option */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new InvalidArgumentError('not a number.');
  return value;
}

/** 0, 1, 2, ... @throws as `number` */
export function whole(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('not a whole number.');
  return value;
}

/** 1, 2, 3, ... @throws as `number` */
export function positive(text: string): number {
  const value = whole(text);
  if (value === 0) throw new InvalidArgumentError('must be at least 1.');
  return value;
}

/** From 0 to 1. @throws as `number` */
export function probability(text: string): number {
  const value = number(text);
  if (value < 0 || value > 1) throw new InvalidArgumentError('must be from 0 to 1.');
  return value;
}

/** The number of a port; 0 is any that is free. @throws as `number` */
export function portNumber(text: string): number {
  const value = whole(text);
  if (value > 65_535) throw new InvalidArgumentError('ports go up to 65535.');
  return value;
}

/** The values of an option that may be given more than once. */
export function repeated(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** `--no-repeat-ngram <n>`, a flag of its own: commander would take it for the negation of `--repeat-ngram`. */
export function noRepeatNgram() {
  const option = new Option('--no-repeat-ngram <n>', 'no sequence of n tokens comes twice');
  option.negate = false;
  return option.argParser(whole);
}

/** Frames of a scene or clip: a number, or 'middle'. */
export function frameCount(text: string): number {
  if (text === 'middle') return 1;
  const count = positive(text);
  if (count > mostFrames) throw new InvalidArgumentError(`at most ${mostFrames}.`);
  return count;
}
const mostFrames = 32;
