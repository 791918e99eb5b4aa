/** What the detectors of scenes see of a frame: how far its colours are from the frame before, and its brightness. */

import type { VideoFrame } from '../../data/films/frames.ts';
import type { RgbImage } from '../../data/images/rgb.ts';
import { createDownscaler, roundHalfEven } from './downscale.ts';
import { type FrameSums, kernelSums } from './kernel-sums.ts';

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

/** Measures a film's frames in their order: in WebAssembly, or where there is none by the plain functions below. */
export class FrameMeter {
  readonly #width: number;
  readonly #height: number;
  #sums: ((frame: VideoFrame) => FrameSums) | undefined;
  #isFirst = true;

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
  }

  measure(frame: VideoFrame): MeasuredFrame {
    const { index, time } = frame;
    this.#sums ??=
      kernelSums(this.#width, this.#height, frame.place?.kernel) ??
      plainSums(this.#width, this.#height);
    const { hue, saturation, value, bytes, pixels } = this.#sums(frame);
    const change = this.#isFirst ? 0 : (hue / pixels + saturation / pixels + value / pixels) / 3;
    this.#isFirst = false;
    return { index, time, change, brightness: bytes / (3 * pixels) };
  }
}

/** The plain form of what the kernel computes. @returns a function of one frame after the other */
export function plainSums(width: number, height: number): (frame: RgbImage) => FrameSums {
  const downscale = createDownscaler(width, height);
  let before: Uint8Array | undefined;
  let spare: Uint8Array | undefined;
  return (frame) => {
    const small = downscale(frame).data;
    const colours = spare ?? new Uint8Array(small.length);
    toHsv(small, colours);
    const changes = sumChanges(colours, before ?? new Uint8Array(small.length));
    spare = before;
    before = colours;
    return { ...changes, bytes: sum(small), pixels: small.length / 3 };
  };
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

function sumChanges(
  colours: Uint8Array,
  before: Uint8Array,
): { hue: number; saturation: number; value: number } {
  let hue = 0;
  let saturation = 0;
  let value = 0;
  for (let i = 0; i < colours.length; i += 3) {
    hue += Math.abs(colours[i] - before[i]);
    saturation += Math.abs(colours[i + 1] - before[i + 1]);
    value += Math.abs(colours[i + 2] - before[i + 2]);
  }
  return { hue, saturation, value };
}

function sum(bytes: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i++) total += bytes[i];
  return total;
}
