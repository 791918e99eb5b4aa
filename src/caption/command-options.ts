/** Options of generation as commands and `refcap serve` name them, turned into the captioner's. */
import type { GenerationOptions } from '../model/checkpoint/generation-config.ts';
import type { CaptionOptions } from './options.ts';

/** The command's flags (`--num-captions` is numCaptions). What is not given comes from the model's own defaults. */
export interface GenerationFlags {
  readonly beams?: number | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly minNewTokens?: number | undefined;
  readonly maxNewTokens?: number | undefined;
  readonly lengthPenalty?: number | undefined;
  readonly repetitionPenalty?: number | undefined;
  readonly noRepeatNgram?: number | undefined;
  readonly earlyStopping?: boolean | 'never' | undefined;
  readonly sample?: boolean | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly temperature?: number | undefined;
  readonly seed?: number | undefined;
  readonly numCaptions?: number | undefined;
  readonly prompt?: string | undefined;
  readonly ban?: readonly string[] | undefined;
  readonly words?: boolean | undefined;
  readonly dependence?: boolean | undefined;
}

/**
 * What follows from the flags and the model together: drawing words, and several captions, say how many beams there are.
 * @param defaults the model's own
 */
export function captionOptions(
  flags: GenerationFlags,
  defaults: GenerationOptions,
): CaptionOptions {
  const { topP, topK, temperature, numCaptions } = flags;
  const sample = flags.sample ?? [topP, topK, temperature].some((value) => value !== undefined);
  // Without a word on beams: drawing is from the model itself, and so many captions need as many beams.
  const own = defaults.num_beams ?? 1;
  const beams = flags.beams ?? (sample ? 1 : Math.max(own, numCaptions ?? 1));
  return givenOptions({ ...flags, beams, sample });
}

/** The flags that are given, under the captioner's names. */
export function givenOptions(flags: GenerationFlags): CaptionOptions {
  const given = {
    num_beams: flags.beams,
    num_return_sequences: flags.numCaptions,
    min_length: flags.minLength,
    max_length: flags.maxLength,
    min_new_tokens: flags.minNewTokens,
    max_new_tokens: flags.maxNewTokens,
    length_penalty: flags.lengthPenalty,
    repetition_penalty: flags.repetitionPenalty,
    no_repeat_ngram_size: flags.noRepeatNgram,
    early_stopping: flags.earlyStopping,
    do_sample: flags.sample ? true : undefined,
    top_p: flags.topP,
    top_k: flags.topK,
    temperature: flags.temperature,
    seed: flags.seed,
    prompt: flags.prompt,
    bannedWords: flags.ban,
    words: flags.words,
    dependence: flags.dependence,
  };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as CaptionOptions; // the values are those of `given`, whose names and types are CaptionOptions'
}
