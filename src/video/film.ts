/** A film in, its scenes with captions out, as they become known: decoding runs ahead of the model. */
import type { Captioner } from '../caption/captioner.ts';
import type { Film } from '../data/films/decoder.ts';
import { readFrames } from '../data/films/frames.ts';
import { defaultFrames, FramePool, type SceneFrames, sceneFrames } from '../data/films/pool.ts';
import {
  type DescribedScene,
  type DescribeOptions,
  describeScene,
  joinAlike,
} from './captions/describe.ts';
import { detectScenes, type FilmSceneOptions, type Scene } from './scenes/scenes.ts';

export interface FilmOptions extends DescribeOptions, FilmSceneOptions {
  /** Keep neighbouring scenes that say the same apart. Default false. */
  readonly keepAlike?: boolean;
}

/**
 * Captions the scenes of a film in their order. What is in memory does not grow with the film.
 * @throws InputError for a film that cannot be read; the signal's reason when aborted
 */
export function captionFilm(
  captioner: Captioner,
  film: Film,
  options: FilmOptions = {},
): AsyncGenerator<DescribedScene> {
  const scenes = describedScenes(captioner, film, options);
  return options.keepAlike ? scenes : joinAlike(scenes);
}

async function* describedScenes(
  captioner: Captioner,
  film: Film,
  options: FilmOptions,
): AsyncGenerator<DescribedScene> {
  const learned = captioner.config.clip_frames ?? 1;
  const count = options.frames ?? (options.vote ? defaultFrames : learned);
  const pool = new FramePool(count);
  const frames = readFrames(film, options);
  const scenes = detectScenes(film, frames, options.scenes, (frame) => {
    pool.add(frame);
    options.onFrame?.(frame.time);
  });
  const { signal, caption } = options;
  const how = { ...options, caption: { ...caption, ...(signal && { signal }) } };
  const running: Promise<DescribedScene>[] = [];
  for await (const scene of scenes) {
    if (running.length > captioner.workers) yield* first(running);
    const work = describeScene(captioner, scene, chosenOf(pool, scene, count), how);
    // They are awaited in order, so an early failure waits for its turn.
    work.catch(() => undefined);
    running.push(work);
    // Without workers the model has this thread, and ffmpeg waits.
    if (captioner.workers === 0) yield* first(running);
  }
  while (running.length > 0) yield* first(running);
}

function chosenOf(pool: FramePool, scene: Scene, count: number): SceneFrames {
  const kept = pool.take(scene);
  const chosen = sceneFrames(kept, scene, count);
  const used = new Set([...chosen.frames, chosen.picture]);
  pool.release(kept.filter((frame) => !used.has(frame)));
  return chosen;
}

async function* first(running: Promise<DescribedScene>[]): AsyncGenerator<DescribedScene> {
  const work = running.shift();
  if (work) yield await work;
}
