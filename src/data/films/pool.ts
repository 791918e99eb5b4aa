/** The frames that a scene may be captioned from: spread evenly over what was seen of it, in bounded memory. */
import type { RgbImage } from '../images/rgb.ts';
import type { VideoFrame } from './frames.ts';

/** Frames that belong together, such as a scene: the first, and the one after the last. */
export interface FrameSpan {
  readonly firstFrame: number;
  readonly endFrame: number;
}

/** A frame that is kept. */
export interface KeptFrame extends RgbImage {
  readonly index: number;
  readonly time: number;
}

/** Frames that are learned from a clip, and that vote on a scene, where nobody says. */
export const defaultFrames = 8;

/** Frames that are larger are kept smaller; models look at 224 to 512 pixels. */
const longestSide = 768;

/** Keeps frames until it is known to which scene they belong. */
export class FramePool {
  readonly #capacity: number;
  #kept: KeptFrame[] = [];
  /** Frames from one that is kept to the next. */
  #stride = 1;
  #next = 0;
  #current: VideoFrame | undefined;
  /** Memory of frames that are needed no more. New memory for each keeps the garbage collector busy. */
  readonly #free: Uint8Array[] = [];

  /** @param wanted frames that a scene is captioned from */
  constructor(wanted: number) {
    this.#capacity = Math.max(8, 4 * wanted);
  }

  /** Takes the next frame; its memory may be overwritten once the next is added. */
  add(frame: VideoFrame): void {
    this.#current = frame;
    if (frame.index < this.#next) return;
    this.#kept.push(kept(frame, this.#free));
    if (this.#kept.length > this.#capacity) {
      this.release(this.#kept.filter((_, i) => i % 2 === 1));
      this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
      this.#stride *= 2;
    }
    this.#next = (this.#kept.at(-1)?.index ?? 0) + this.#stride;
  }

  /** Gives frames back that were kept or taken, whose memory is then used again. */
  release(frames: readonly KeptFrame[]): void {
    this.#free.push(...frames.map(({ data }) => data));
  }

  /** The frames of a scene that has ended, one at least; later ones stay for the next. */
  take({ endFrame }: Pick<FrameSpan, 'endFrame'>): KeptFrame[] {
    const taken = this.#kept.filter(({ index }) => index < endFrame);
    this.#kept = this.#kept.filter(({ index }) => index >= endFrame);
    const current = this.#current;
    // Of the next scene one frame at least is there, though the film end with it.
    if (this.#kept.length === 0 && current && current.index >= endFrame)
      this.#kept.push(kept(current, this.#free));
    this.#stride = 1;
    this.#next = (current?.index ?? 0) + 1;
    if (taken.length > 0) return taken;
    // A copy: the frame stays for the next scene, with its memory.
    return this.#kept.slice(0, 1).map((frame) => ({ ...frame, data: frame.data.slice() }));
  }
}

/** What a scene is captioned from and shown by. */
export interface SceneFrames {
  readonly frames: readonly KeptFrame[];
  /** From its middle. */
  readonly picture: KeptFrame;
}

/** @param kept frames of the scene, one at least */
export function sceneFrames(
  kept: readonly KeptFrame[],
  scene: FrameSpan,
  count: number,
): SceneFrames {
  const [picture] = spreadFrames(kept, scene, 1);
  return { frames: spreadFrames(kept, scene, count), picture };
}

/** `count` of the frames, or all where there are fewer: those nearest to the middles of as many equal parts. */
export function spreadFrames(
  frames: readonly KeptFrame[],
  scene: FrameSpan,
  count: number,
): KeptFrame[] {
  if (frames.length <= count && count > 1) return [...frames];
  const length = scene.endFrame - scene.firstFrame;
  const chosen = new Set<KeptFrame>();
  for (let i = 0; i < count; i++) {
    const place = scene.firstFrame + ((i + 0.5) * length) / count - 0.5;
    const distance = ({ index }: KeptFrame) => Math.abs(index - place);
    chosen.add(frames.reduce((best, one) => (distance(one) < distance(best) ? one : best)));
  }
  return [...chosen];
}

/** A copy, made smaller by the mean of squares of pixels. @param free memory that may be used for it */
function kept(frame: VideoFrame, free: Uint8Array[]): KeptFrame {
  const { index, time } = frame;
  const factor = Math.max(1, Math.floor(Math.max(frame.width, frame.height) / longestSide));
  const width = Math.floor(frame.width / factor) || 1;
  const height = Math.floor(frame.height / factor) || 1;
  const data = free.pop() ?? new Uint8Array(3 * width * height);
  if (factor === 1) data.set(frame.data);
  else shrink(frame, factor, { width, height, data });
  return { index, time, width, height, data };
}

function shrink({ width, data: source }: RgbImage, factor: number, small: RgbImage): void {
  const area = factor * factor;
  let at = 0;
  for (let y = 0; y < small.height; y++)
    for (let x = 0; x < small.width; x++)
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let row = 0; row < factor; row++) {
          const start = 3 * ((y * factor + row) * width + x * factor) + channel;
          for (let column = 0; column < factor; column++) sum += source[start + 3 * column];
        }
        small.data[at++] = Math.round(sum / area);
      }
}
