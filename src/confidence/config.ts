/** What a model's config.json says of its confidence: the calibrated map, and how true it was when it was fitted. */
import * as z from 'zod';
import { InputError } from '../base/errors.ts';

const share = z.number().min(0).max(1);
const weight = z.number().nonnegative();
const count = z.int().nonnegative();

/** Pictures of one source, or of all: expected calibration error with its interval. */
const reliabilitySchema = z
  .object({
    images: count,
    /** Share of captions whose main noun stands in a reference. */
    right: share,
    /** Expected calibration error of probabilities that are cross-fitted, and its 95 % interval. */
    error: share,
    low: share,
    high: share,
    /** The error that true probabilities would show on as few pictures. */
    chance: share,
    /** Pictures of neighbouring confidence: its mean, the share of right ones, and how many. */
    bins: z.array(z.object({ confidence: share, right: share, images: count }).readonly()),
  })
  .readonly();

/**
 * `confidence_config` of a config.json: sigmoid(weights . evidence + shift) is the probability that a caption's main
 * noun stands in a reference.
 */
export const confidenceSchema = z
  .object({
    // Strict: a weight of another kind of evidence must not be passed over.
    weights: z
      .strictObject({
        /** Of the log-odds of the main noun's probability. */
        noun: weight,
        /** Of the caption's mean log-probability. */
        caption: weight,
        /** Of the probability that the model's concepts give to the noun; models without concepts have none. */
        conceptProbability: weight.optional(),
      })
      .readonly(),
    shift: z.number(),
    /** How true the confidence was: of all pictures, and of each source. */
    reliability: z
      .object({
        all: reliabilitySchema,
        sources: z.array(z.object({ name: z.string(), ...reliabilitySchema.unwrap().shape })),
        /** Parts of the pictures, each judged by a map fitted to the others. */
        folds: count,
      })
      .readonly()
      .optional(),
  })
  .readonly();

export type ConfidenceConfig = z.infer<typeof confidenceSchema>;
export type Reliability = z.infer<typeof reliabilitySchema>;
export type ReliabilityBin = Reliability['bins'][number];

/**
 * The confidence of a config.json; undefined for a model that has none.
 * @param source what to name in an error
 * @throws InputError naming the field
 */
export function parseConfidence(
  configJson: Readonly<Record<string, unknown>>,
  source: string,
): ConfidenceConfig | undefined {
  const parsed = confidenceSchema.nullish().safeParse(configJson.confidence_config);
  if (parsed.success) return parsed.data ?? undefined;
  const [issue] = parsed.error.issues;
  const path = ['confidence_config', ...issue.path].join('.');
  throw new InputError(`${source}: ${path}: ${issue.message}; refcap calibrate writes it anew.`);
}
