/** Whether FFmpeg makes RGB of planes as the kernel does: then planes are read, which are half as many bytes. */
import { colourFactors, planesLength, planesToRgb } from './kernel/colours.ts';

/** Pixels of the sample. */
export const sampleSize = { width: 40, height: 16 } as const;
const { width, height } = sampleSize;

/** Planes that are no picture: all bytes, in no order. */
export const samplePlanes: Uint8Array = Uint8Array.from(
  { length: planesLength(width, height) },
  (_, i) => (i * 167 + (i >> 3) * 59) & 255,
);

/** Filters that make RGB of it, as of a film. */
export const sampleFilters: readonly string[] = [
  `scale=${width}:${height}:flags=bicubic`,
  'format=rgb24',
];

/** Arguments that have ffmpeg convert the sample from its standard input to its output, and tell of it as of a film. */
export const sampleArguments: readonly string[] = [
  ...['-nostats', '-loglevel', 'info', '-f', 'rawvideo', '-pix_fmt', 'yuv420p'],
  ...['-s', `${width}x${height}`, '-i', 'pipe:0', '-vf'],
  ['showinfo=checksum=0', ...sampleFilters].join(','),
  ...['-f', 'rawvideo', 'pipe:1'],
];

/**
 * @param rgb what came
 * @param said what ffmpeg told of it
 */
export function convertsAlike(rgb: Uint8Array, said: string): boolean {
  return colourLine.test(said) && isSampleRgb(rgb);
}

/** Whether this is the RGB that the kernel makes of the sample. */
export function isSampleRgb(rgb: Uint8Array): boolean {
  const wanted = planesToRgb(samplePlanes, width, height, colourFactors('unknown', false));
  return Buffer.compare(rgb, wanted) === 0;
}

/** showinfo's line on a frame's colours. */
const colourLine = /color_range:(\S+) color_space:(\S+)/;
