/** The options of generation with their defaults, and which of them fit together. */
import { InputError } from '../base/errors.ts';
import {
  checkGenerationOptions,
  type GenerationOptions,
} from '../model/checkpoint/generation-config.ts';

export const generationDefaults = {
  min_length: 0,
  num_beams: 1,
  do_sample: false,
  temperature: 1,
  top_k: 50,
  top_p: 1,
  length_penalty: 1,
  repetition_penalty: 1,
  no_repeat_ngram_size: 0,
  early_stopping: false,
  num_return_sequences: 1,
} as const satisfies GenerationOptions;

/** Options with all defaults filled in; those without a default stay undefined. */
export type GenerationSettings = GenerationOptions & {
  readonly [Name in keyof typeof generationDefaults]: NonNullable<GenerationOptions[Name]>;
};

/**
 * What is asked for, over the model's own defaults, over transformers'.
 * @throws InputError naming an option that is unknown, wrong, or does not fit another
 */
export function resolveGeneration(
  options: GenerationOptions,
  ofModel: GenerationOptions,
): GenerationSettings {
  const source = 'the options of generation';
  const given = Object.entries(checkGenerationOptions(options, source)).filter(
    ([, value]) => value !== undefined,
  );
  const settings = {
    ...generationDefaults,
    ...ofModel,
    ...Object.fromEntries(given),
  } as GenerationSettings; // every given value was checked, and undefined ones are left out
  const { num_beams: beams, num_return_sequences: returned, do_sample: sampled } = settings;
  if (beams === 1 && returned > 1 && !sampled)
    throw new InputError(
      `${source}: num_return_sequences (${returned}) needs as many num_beams, or do_sample; greedy search gives one.`,
    );
  if (beams > 1 && returned > beams)
    throw new InputError(
      `${source}: num_return_sequences (${returned}) is more than num_beams (${beams}).`,
    );
  return settings;
}
