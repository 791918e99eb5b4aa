/** The settings of a training run, checked, with their defaults. */
import { z } from 'zod';
import { UsageError } from '../base/errors.ts';

const count = z.int().positive();
const rate = z.number().min(0).lt(1);

const schema = z
  .strictObject({
    /** Seed of everything random: first weights, data order, dropout. */
    seed: z.int().nonnegative().default(1),
    epochs: count.default(8),
    /** Images a step, with all their captions. */
    batchSize: count.default(32),
    /** Peak learning rate. */
    learningRate: z.number().positive().default(1e-3),
    warmupSteps: z.int().nonnegative().default(150),
    schedule: z.enum(['constant', 'linear', 'cosine']).default('cosine'),
    weightDecay: z.number().nonnegative().default(0.05),
    /** Gradients are scaled down to this norm. */
    maxGradientNorm: z.number().positive().default(1),
    labelSmoothing: rate.default(0.1),
    dropout: rate.default(0.15),
    /** Longer captions are cut. */
    maxWords: count.default(22),
    /** Uses in the training captions that a word needs to be in the vocabulary. */
    minWordCount: count.default(5),
    /** Layers, width and heads of the decoder. */
    layers: count.default(2),
    width: count.default(256),
    heads: count.default(8),
    /** Steps with a non-finite loss or gradient are skipped; so many in a row end the run. */
    maxSkippedSteps: count.default(10),
    logEvery: count.default(10),
  })
  .refine((config) => config.width % config.heads === 0, {
    message: 'heads must divide width',
    path: ['heads'],
  });

export type TrainConfig = Readonly<z.infer<typeof schema>>;

/** Fills in defaults. @throws UsageError naming the setting that is wrong */
export function parseTrainConfig(settings: unknown): TrainConfig {
  const result = schema.safeParse(settings);
  if (result.success) return Object.freeze(result.data);
  const [issue] = result.error.issues;
  throw new UsageError(`${issue.path.join('.') || 'the configuration'}: ${issue.message}`);
}
