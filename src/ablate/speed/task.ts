/** One measurement of captioning, in the child process. */
import { Captioner } from '../../caption/captioner.ts';
import type { Measurement, MeasureTask } from './schema.ts';

/** Pictures captioned before the clock starts. */
const warmUp = 3;

/** Captions the pictures one by one. @throws InputError when the model or a picture cannot be used */
export async function measure(task: MeasureTask): Promise<Measurement> {
  const { model, keepRefiner, images, threads, device } = task;
  using captioner = await Captioner.load(model, {
    ...(keepRefiner && { keepRefiner }),
    ...(threads !== undefined && { threads }),
    ...(device !== undefined && { device }),
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
