/** How many tokens were written, and why it ended. */
import type { Captioned } from '../captions/text.ts';
import type { ServedModel } from '../model.ts';

export interface Usage {
  readonly prompt: number;
  readonly written: number;
}

/** Tokens of all candidates. A picture is no token, and the prompt is not read: each caption begins with one. */
export function usageOf(captioned: readonly Captioned[]): Usage {
  const all = captioned.flatMap(({ result }) => result.captions);
  return {
    prompt: captioned.length,
    written: all.reduce((sum, { ids }) => sum + ids.length - 1, 0),
  };
}

/** 'stop' where all of the candidates at `place` came to their end. */
export function finishReason(
  captioned: readonly Captioned[],
  place: number,
  { endId }: ServedModel,
): 'stop' | 'length' {
  const isWhole = captioned.every(({ result }) => result.captions[place].ids.at(-1) === endId);
  return isWhole ? 'stop' : 'length';
}
