/** A film's frames in, its scenes out. */

import type { Film } from '../../data/films/decoder.ts';
import { type ReadOptions, readFrames, type VideoFrame } from '../../data/films/frames.ts';
import { type DetectorName, type DetectorOptions, detectors } from './detectors.ts';
import { FrameMeter, type FramePlace } from './measure.ts';

export interface SceneOptions extends DetectorOptions {
  /** Default adaptive. */
  readonly detector?: DetectorName;
}

/** Seconds; the end belongs to the next scene. */
export interface Scene {
  /** From 1. */
  readonly number: number;
  readonly start: number;
  readonly end: number;
  /** Numbers of its first frame and of the next scene's. */
  readonly firstFrame: number;
  readonly endFrame: number;
}

/** What is read of a film, and how it is cut into scenes. */
export interface FilmSceneOptions extends ReadOptions {
  readonly scenes?: SceneOptions;
  /** Told of each frame's time. */
  readonly onFrame?: (time: number) => void;
}

/** The scenes of a film, without captions. @throws as `readFrames` */
export function filmScenes(film: Film, options: FilmSceneOptions = {}): AsyncGenerator<Scene> {
  const frames = readFrames(film, options);
  return detectScenes(film, frames, options.scenes, ({ time }) => options.onFrame?.(time));
}

/**
 * Yields each scene as soon as its end is known. The scenes follow each other without gaps, from the first frame to
 * the end of the last; a film without frames has none.
 * @param onFrame told of each frame before the scenes that it ends
 */
export async function* detectScenes(
  film: Pick<Film, 'width' | 'height' | 'rate'>,
  frames: AsyncIterable<VideoFrame>,
  { detector = 'adaptive', ...options }: SceneOptions = {},
  onFrame?: (frame: VideoFrame) => void,
): AsyncGenerator<Scene> {
  const meter = new FrameMeter(film.width, film.height);
  const cuts = detectors[detector](film.rate, options);
  let number = 1;
  let begin: FramePlace | undefined;
  let last: FramePlace = { index: 0, time: 0 };
  const upTo = (start: FramePlace, end: FramePlace): Scene => ({
    number: number++,
    start: start.time,
    end: end.time,
    firstFrame: start.index,
    endFrame: end.index,
  });
  for await (const frame of frames) {
    last = { index: frame.index, time: frame.time };
    begin ??= last;
    onFrame?.(frame);
    for (const cut of cuts.push(meter.measure(frame))) {
      if (cut.index <= begin.index) continue;
      yield upTo(begin, cut);
      begin = cut;
    }
  }
  if (begin) yield upTo(begin, { index: last.index + 1, time: last.time + 1 / film.rate });
}
