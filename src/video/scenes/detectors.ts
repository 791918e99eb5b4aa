/**
 * PySceneDetect's detectors of scenes (Castellano, scenedetect.com, version 0.7), equal to it on the same frames: cuts
 * by the change of colours against a threshold (content) or against its neighbours (adaptive), and fades (threshold).
 */
import { roundHalfEven } from './downscale.ts';
import type { FramePlace, MeasuredFrame } from './measure.ts';

/** The shortest scene, in frames (at the film's rate) or seconds. */
export type SceneLength = { readonly frames: number } | { readonly seconds: number };

export interface DetectorOptions {
  /** What a change, ratio or brightness must reach. Default: the detector's own. */
  readonly threshold?: number;
  /** Default 15 frames. */
  readonly minLength?: SceneLength;
}

/** Takes frames in their order. */
export interface Detector {
  /** @returns the first frames of new scenes that are known by now, in their order */
  push(frame: MeasuredFrame): FramePlace[];
}

export const detectorNames = ['adaptive', 'content', 'fades', 'white-fades'] as const;
export type DetectorName = (typeof detectorNames)[number];

/** @param rate frames a second */
export const detectors: Readonly<
  Record<DetectorName, (rate: number, options: DetectorOptions) => Detector>
> = {
  adaptive: (rate, options) => new AdaptiveDetector(rate, options),
  content: (rate, options) => new ContentDetector(rate, options),
  fades: (rate, options) => new FadeDetector(rate, options, 12, (level, limit) => level < limit),
  'white-fades': (rate, options) =>
    new FadeDetector(rate, options, 243, (level, limit) => level >= limit),
};

const defaultLength: SceneLength = { frames: 15 };

type IsLongEnough = (from: FramePlace, to: FramePlace) => boolean;

function atLeast(length: SceneLength, rate: number): IsLongEnough {
  return 'frames' in length
    ? (from, to) => roundHalfEven(micro(to.time - from.time) * rate) >= length.frames
    : (from, to) => micro(to.time - from.time) >= length.seconds;
}

/** Without what floating-point subtraction leaves. */
function micro(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

/** Changes that stand out of those of two frames on either side: a moving camera is no cut. */
class AdaptiveDetector implements Detector {
  readonly #threshold: number;
  readonly #isLong: IsLongEnough;
  readonly #window: MeasuredFrame[] = [];
  #lastCut: FramePlace | undefined;

  constructor(rate: number, { threshold = 3, minLength = defaultLength }: DetectorOptions) {
    this.#threshold = threshold;
    this.#isLong = atLeast(minLength, rate);
  }

  push(frame: MeasuredFrame): FramePlace[] {
    this.#lastCut ??= frame;
    this.#window.push(frame);
    if (this.#window.length < 2 * beside + 1) return [];
    if (this.#window.length > 2 * beside + 1) this.#window.shift();
    const target = this.#window[beside];
    let sum = 0;
    for (const [i, { change }] of this.#window.entries()) if (i !== beside) sum += change;
    const isCut =
      ratioTo(target.change, sum / (2 * beside)) >= this.#threshold && target.change >= leastChange;
    if (!isCut || !this.#isLong(this.#lastCut, target)) return [];
    this.#lastCut = target;
    return [target];
  }
}

/** Frames on either side. */
const beside = 2;
/** A change that is less is never a cut. */
const leastChange = 15;
const mostRatio = 255;

function ratioTo(change: number, average: number): number {
  if (Math.abs(average) < 0.00001) return change >= leastChange ? mostRatio : 0;
  return Math.min(change / average, mostRatio);
}

/** Changes above a threshold; those that follow too closely are merged into one, where they end. */
class ContentDetector implements Detector {
  readonly #threshold: number;
  readonly #isLong: IsLongEnough;
  readonly #filters: boolean;
  #lastAbove: FramePlace | undefined;
  #mergeStart: FramePlace | undefined;
  #mayMerge = false;

  constructor(rate: number, { threshold = 27, minLength = defaultLength }: DetectorOptions) {
    this.#threshold = threshold;
    this.#isLong = atLeast(minLength, rate);
    this.#filters = ('frames' in minLength ? minLength.frames : minLength.seconds) > 0;
  }

  push(frame: MeasuredFrame): FramePlace[] {
    const isAbove = frame.change >= this.#threshold;
    if (!this.#filters) return isAbove ? [frame] : [];
    const last = this.#lastAbove ?? frame;
    const isLong = this.#isLong(last, frame);
    this.#lastAbove = isAbove ? frame : last;
    if (this.#mergeStart) {
      if (!isLong || isAbove || !this.#isLong(this.#mergeStart, this.#lastAbove)) return [];
      this.#mergeStart = undefined;
      return [this.#lastAbove];
    }
    if (!isAbove) return [];
    if (isLong) {
      this.#mayMerge = true;
      return [frame];
    }
    if (this.#mayMerge) this.#mergeStart = frame;
    return [];
  }
}

/** Scenes between fades: a new one begins halfway between the fade out and the fade in. */
class FadeDetector implements Detector {
  readonly #threshold: number;
  readonly #isLong: IsLongEnough;
  readonly #isOut: (brightness: number, threshold: number) => boolean;
  #lastCut: FramePlace | undefined;
  #isFaded = false;
  /** The frames since the fade out. */
  #faded: FramePlace[] = [];

  constructor(
    rate: number,
    { threshold, minLength = defaultLength }: DetectorOptions,
    own: number,
    isOut: (brightness: number, threshold: number) => boolean,
  ) {
    this.#threshold = Math.trunc(threshold ?? own);
    this.#isLong = atLeast(minLength, rate);
    this.#isOut = isOut;
  }

  push(frame: MeasuredFrame): FramePlace[] {
    const { index, time } = frame;
    const isOut = this.#isOut(frame.brightness, this.#threshold);
    const wasFaded = this.#isFaded;
    this.#isFaded = isOut;
    this.#lastCut ??= { index, time };
    if (isOut) {
      if (!wasFaded) this.#faded = [];
      this.#faded.push({ index, time });
      return [];
    }
    if (!wasFaded || !this.#isLong(this.#lastCut, frame)) return [];
    this.#lastCut = { index, time };
    const middle = roundHalfEven(this.#faded.length / 2);
    return [this.#faded[middle] ?? { index, time }];
  }
}
