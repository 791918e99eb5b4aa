/** One measurement of captioning: what the child process is asked, and what it answers. */
import { z } from 'zod';
import { Captioner } from '../blip/captioner.ts';

export const taskSchema = z.object({
  model: z.string(),
  keepRefiner: z.boolean(),
  images: z.array(z.string()).nonempty(),
  threads: z.int().positive().optional(),
});
export type MeasureTask = z.input<typeof taskSchema>;

export const measurementSchema = z.object({
  /** A picture, decoding of the file included: the mean over all. */
  milliseconds: z.number(),
  /** A caption: the mean. Longer captions take longer. */
  words: z.number(),
  /** The largest resident set of the process, which does nothing else. */
  peakMiB: z.number(),
});
export type Measurement = z.infer<typeof measurementSchema>;

/** Pictures captioned before the clock starts. */
const warmUp = 3;

/** Captions the pictures one by one. @throws InputError when the model or a picture cannot be used */
export async function measure(task: z.output<typeof taskSchema>): Promise<Measurement> {
  const { model, keepRefiner, images, threads } = task;
  using captioner = await Captioner.load(model, {
    ...(keepRefiner && { keepRefiner }),
    ...(threads !== undefined && { threads }),
  });
  for (const image of images.slice(0, warmUp)) await captioner.caption(image);
  let words = 0;
  const started = performance.now();
  for (const image of images) {
    const { caption } = await captioner.caption(image);
    words += caption.split(' ').filter((word) => word !== '').length;
  }
  return {
    milliseconds: (performance.now() - started) / images.length,
    words: words / images.length,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
}
