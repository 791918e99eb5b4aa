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

/** Frames that a scene or clip is captioned from and learned from, where nobody says. */
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

  /** @param wanted frames that a scene is captioned from */
  constructor(wanted: number) {
    this.#capacity = Math.max(8, 4 * wanted);
  }

  /** Takes the next frame; its memory may be overwritten once the next is added. */
  add(frame: VideoFrame): void {
    this.#current = frame;
    if (frame.index < this.#next) return;
    this.#kept.push(kept(frame));
    if (this.#kept.length > this.#capacity) {
      this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
      this.#stride *= 2;
    }
    this.#next = (this.#kept.at(-1)?.index ?? 0) + this.#stride;
  }

  /** The frames of a scene that has ended, one at least; later ones stay for the next. */
  take({ endFrame }: Pick<FrameSpan, 'endFrame'>): KeptFrame[] {
    const taken = this.#kept.filter(({ index }) => index < endFrame);
    this.#kept = this.#kept.filter(({ index }) => index >= endFrame);
    const current = this.#current;
    // Of the next scene one frame at least is there, though the film end with it.
    if (this.#kept.length === 0 && current && current.index >= endFrame)
      this.#kept.push(kept(current));
    this.#stride = 1;
    this.#next = (current?.index ?? 0) + 1;
    return taken.length > 0 ? taken : this.#kept.slice(0, 1);
  }
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

/** A copy, made smaller by the mean of squares of pixels. */
function kept({ index, time, width, height, data }: VideoFrame): KeptFrame {
  const factor = Math.max(1, Math.floor(Math.max(width, height) / longestSide));
  if (factor === 1) return { index, time, width, height, data: data.slice() };
  const small = {
    width: Math.floor(width / factor) || 1,
    height: Math.floor(height / factor) || 1,
  };
  const target = new Uint8Array(small.width * small.height * 3);
  const area = factor * factor;
  let at = 0;
  for (let y = 0; y < small.height; y++)
    for (let x = 0; x < small.width; x++)
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let row = 0; row < factor; row++) {
          const start = 3 * ((y * factor + row) * width + x * factor) + channel;
          for (let column = 0; column < factor; column++) sum += data[start + 3 * column];
        }
        target[at++] = Math.round(sum / area);
      }
  return { index, time, ...small, data: target };
}
