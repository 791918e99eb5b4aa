/** What the detectors of scenes see of a frame: how far its colours are from the frame before, and its brightness. */

import type { VideoFrame } from '../../data/films/frames.ts';
import type { RgbImage } from '../../data/images/rgb.ts';
import { createDownscaler, roundHalfEven } from './downscale.ts';

/** A frame's place in the film. */
export interface FramePlace {
  readonly index: number;
  /** Seconds. */
  readonly time: number;
}

/** A frame as detectors see it. */
export interface MeasuredFrame extends FramePlace {
  /** PySceneDetect's content_val: the mean of the mean changes of hue, saturation and value; 0 of a first frame. */
  readonly change: number;
  /** Mean of all bytes, 0 to 255. */
  readonly brightness: number;
}

/** Measures a film's frames in their order. */
export class FrameMeter {
  readonly #downscale: (frame: RgbImage) => RgbImage;
  #before: Uint8Array | undefined;
  #spare: Uint8Array | undefined;

  constructor(width: number, height: number) {
    this.#downscale = createDownscaler(width, height);
  }

  measure(frame: VideoFrame): MeasuredFrame {
    const { index, time } = frame;
    const small = this.#downscale(frame);
    const colours = this.#spare ?? new Uint8Array(small.data.length);
    toHsv(small.data, colours);
    const change = this.#before ? meanChange(colours, this.#before) : 0;
    this.#spare = this.#before;
    this.#before = colours;
    return { index, time, change, brightness: mean(small.data) };
  }
}

/** OpenCV's fixed-point tables for 8-bit HSV, hue from 0 to 179. */
const saturationTable = Int32Array.from({ length: 256 }, (_, i) =>
  i === 0 ? 0 : roundHalfEven((255 << 12) / i),
);
const hueTable = Int32Array.from({ length: 256 }, (_, i) =>
  i === 0 ? 0 : roundHalfEven((180 << 12) / (6 * i)),
);
const half = 1 << 11;

/** RGB bytes to hue, saturation and value, as OpenCV's COLOR_RGB2HSV. */
export function toHsv(rgb: Uint8Array, target: Uint8Array): void {
  for (let i = 0; i < rgb.length; i += 3) {
    const r = rgb[i];
    const g = rgb[i + 1];
    const b = rgb[i + 2];
    const largest = r > g ? (r > b ? r : b) : g > b ? g : b;
    const smallest = r < g ? (r < b ? r : b) : g < b ? g : b;
    const range = largest - smallest;
    const turn = largest === r ? g - b : largest === g ? b - r + 2 * range : r - g + 4 * range;
    const hue = (turn * hueTable[range] + half) >> 12;
    target[i] = hue < 0 ? hue + 180 : hue;
    target[i + 1] = (range * saturationTable[largest] + half) >> 12;
    target[i + 2] = largest;
  }
}

/** The mean over the three channels of the mean absolute differences. */
function meanChange(colours: Uint8Array, before: Uint8Array): number {
  let hue = 0;
  let saturation = 0;
  let value = 0;
  for (let i = 0; i < colours.length; i += 3) {
    hue += Math.abs(colours[i] - before[i]);
    saturation += Math.abs(colours[i + 1] - before[i + 1]);
    value += Math.abs(colours[i + 2] - before[i + 2]);
  }
  const pixels = colours.length / 3;
  return (hue / pixels + saturation / pixels + value / pixels) / 3;
}

function mean(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += bytes[i];
  return sum / bytes.length;
}
