/** The options of generation, named as in transformers, and where their values come from. */
import { z } from 'zod';
import { InputError } from '../base/errors.ts';

const count = z.int().nonnegative();
const positive = z.int().positive();
const ids = z.array(count);

const schema = z.strictObject({
  /** Longest sequence, with [DEC] and the prompt. Where no most is given: 20 ids after the prompt. */
  max_length: positive.optional(),
  /** Most tokens after the prompt; takes precedence over max_length. */
  max_new_tokens: positive.optional(),
  /** Shortest sequence, with [DEC] and the prompt: the end is banned before. Default 0. */
  min_length: count.optional(),
  /** Fewest tokens after the prompt. */
  min_new_tokens: count.optional(),
  /** Beams; 1 is greedy or plain sampling. Default 1. */
  num_beams: positive.optional(),
  /** Draw words instead of taking the best. Default false. */
  do_sample: z.boolean().optional(),
  /** Divides the logits when sampling. Default 1. */
  temperature: z.number().positive().optional(),
  /** Sample from the k best words; 0 turns it off. Default 50. */
  top_k: count.optional(),
  /** Sample from the fewest words whose probabilities reach this sum (nucleus). Default 1: all. */
  top_p: z.number().gt(0).max(1).optional(),
  /** Beam scores are divided by length to this power. Default 1. */
  length_penalty: z.number().optional(),
  /** Divides positive logits (multiplies negative ones) of words already written. Default 1. */
  repetition_penalty: z.number().positive().optional(),
  /** No sequence of this many tokens comes twice. Default 0: off. */
  no_repeat_ngram_size: count.optional(),
  /** When beam search ends: at num_beams finished ones, by a heuristic (false, default), or 'never' before it is sure. */
  early_stopping: z.union([z.boolean(), z.literal('never')]).optional(),
  /** Captions an image. Default 1. */
  num_return_sequences: positive.optional(),
  /** Sequences of token ids that must not be written. */
  bad_words_ids: z.array(ids.nonempty()).optional(),
  /** Token ids that are never written. */
  suppress_tokens: ids.optional(),
  /** Token ids that are not written first. */
  begin_suppress_tokens: ids.optional(),
});

/** Options of generation under transformers' names. */
export type GenerationOptions = Readonly<z.infer<typeof schema>>;

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

const names = Object.keys(schema.shape) as (keyof GenerationOptions)[];

function check(json: unknown, source: string): GenerationOptions {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const what =
    issue.code === 'unrecognized_keys'
      ? `there is no option ${issue.keys.join(', ')}; known: ${names.join(', ')}`
      : `${issue.path.join('.')}: ${issue.message}`;
  throw new InputError(`${source}: ${what}`);
}

/**
 * Reads the content of a generation_config.json; fields that do not concern captions are ignored.
 * @throws InputError naming the field that is wrong
 */
export function parseGenerationConfig(json: unknown, source: string): GenerationOptions {
  if (typeof json !== 'object' || json === null)
    throw new InputError(`${source}: this is not an object.`);
  const given = new Map(Object.entries(json));
  const known = names.flatMap((name) => {
    const value: unknown = given.get(name);
    return value === undefined || value === null ? [] : [[name, value]];
  });
  return check(Object.fromEntries(known), source);
}

/**
 * What is asked for, over the model's own defaults, over transformers'.
 * @throws InputError naming an option that is unknown, wrong, or does not fit another
 */
export function resolveGeneration(
  options: GenerationOptions,
  ofModel: GenerationOptions,
): GenerationSettings {
  const source = 'the options of generation';
  const given = Object.entries(check(options, source)).filter(([, value]) => value !== undefined);
  const settings = {
    ...generationDefaults,
    ...ofModel,
    ...Object.fromEntries(given),
  } as GenerationSettings; // `check` saw every given value, and undefined ones are left out
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
