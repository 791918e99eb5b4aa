/** A checkpoint's generation_config.json: the options of generation, named as in transformers. */
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';

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

const names = Object.keys(schema.shape) as (keyof GenerationOptions)[];

/**
 * Checks options that a caller gave.
 * @throws InputError naming an option that is unknown or wrong
 */
export function checkGenerationOptions(json: unknown, source: string): GenerationOptions {
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
  return checkGenerationOptions(Object.fromEntries(known), source);
}
