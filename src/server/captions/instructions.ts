/** What interfaces for language models ask for, as far as a captioner follows it. */
import type { GenerationFlags } from '../../caption/command-options.ts';
import type { GenerationOptions } from '../../model/checkpoint/generation-config.ts';
import { coldest } from '../native/schema.ts';

export interface Asked {
  /** 0: no chance; absent: the model's own way. */
  readonly temperature?: number | null | undefined;
  readonly topP?: number | null | undefined;
  readonly topK?: number | null | undefined;
  readonly seed?: number | null | undefined;
  readonly maxTokens?: number | null | undefined;
}

/** Most tokens after the first where a model says nothing, as in transformers. */
const usualMost = 20;

/**
 * Words are drawn by chance where a temperature above 0 (as good as 0 is 0; or a part of the words) is asked for, as these interfaces
 * say; else the model writes as it does by itself. A caption ends before a larger number of tokens.
 */
export function flagsOf(
  { temperature, topP, topK, seed, maxTokens }: Asked,
  defaults: GenerationOptions,
): GenerationFlags {
  const isCold = typeof temperature === 'number' && temperature < coldest;
  const isDrawn = !isCold && (typeof temperature === 'number' || (topP ?? 1) < 1);
  const { max_new_tokens: newTokens, max_length: length } = defaults;
  const own = newTokens ?? (length === undefined ? usualMost : length - 1);
  return {
    ...(isDrawn && {
      sample: true,
      temperature: temperature ?? undefined,
      topP: topP ?? undefined,
      topK: topK ?? undefined,
    }),
    // Others allow negative ones.
    seed: seed === null || seed === undefined ? undefined : Math.abs(seed),
    maxNewTokens: maxTokens && maxTokens > 0 && maxTokens < own ? maxTokens : undefined,
  };
}

/**
 * The value of the header `refcap-ignored`: what of a request had no effect, so that nobody takes a caption for an
 * answer to a prompt.
 * @param known the fields that have an effect
 */
export function ignoredFields(
  body: Readonly<Record<string, unknown>>,
  known: readonly string[],
  hasPrompt: boolean,
): string[] {
  const others = Object.entries(body)
    .filter(([name, value]) => value !== null && value !== undefined && !known.includes(name))
    .map(([name]) => name)
    // A header holds no other characters.
    .filter((name) => /^\w{1,40}$/.test(name))
    .slice(0, 20);
  return [...(hasPrompt ? ['prompt'] : []), ...others.filter((name) => name !== 'prompt')];
}

/** Adds the header where anything was ignored. */
export function withIgnored(response: Response, ignored: readonly string[]): Response {
  if (ignored.length > 0) response.headers.set('refcap-ignored', ignored.join(', '));
  return response;
}
