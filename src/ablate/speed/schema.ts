/** What is measured of latency and memory: asked of a child process, and kept in results/speed.json. */
import * as z from 'zod';

export const taskSchema = z.object({
  model: z.string(),
  keepRefiner: z.boolean(),
  images: z.array(z.string()).nonempty(),
  threads: z.int().positive().optional(),
  device: z.string().optional(),
});
export type MeasureTask = z.infer<typeof taskSchema>;

export const measurementSchema = z.object({
  /** A picture, decoding of the file included: the mean over all. */
  milliseconds: z.number(),
  /** A caption: the mean. Longer captions take longer. */
  words: z.number(),
  /** The largest resident set of the process, which does nothing else. */
  peakMiB: z.number(),
});
export type Measurement = z.infer<typeof measurementSchema>;

const entrySchema = z.object({
  variant: z.string(),
  /** What became of the model's training-only layers. */
  layers: z.enum(['none', 'dropped', 'kept']),
  /** Of the weight files that were loaded. */
  weightsMiB: z.number(),
  /** Medians over the rounds. */
  median: measurementSchema,
  rounds: z.array(measurementSchema),
});

export const speedSchema = z.object({
  /** What was asked for, to tell whether it is the same again. */
  asked: z.object({
    images: z.int(),
    rounds: z.int(),
    threads: z.int().optional(),
    device: z.string().optional(),
  }),
  /** Pictures that were captioned. */
  images: z.int(),
  entries: z.array(entrySchema),
});
export type Speed = z.infer<typeof speedSchema>;
/** A model that is measured. */
export type SpeedModel = Pick<Speed['entries'][number], 'variant' | 'layers'>;

/** How a table calls a model. */
export function speedName({ variant, layers }: SpeedModel): string {
  return layers === 'none' ? variant : `${variant}, layers ${layers}`;
}
