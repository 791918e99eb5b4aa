/** Scenes in, captions out: one for each, from several frames of it. */
import type { Captioner } from '../../caption/captioner.ts';
import type { CaptionOptions } from '../../caption/options.ts';
import type { Caption } from '../../caption/result.ts';
import type { KeptFrame, SceneFrames } from '../../data/films/pool.ts';
import type { Scene } from '../scenes/scenes.ts';
import { electCaption } from './vote.ts';

export interface DescribeOptions {
  /**
   * Frames that a scene is captioned from, spread over it; 1: the middle one. Default: as many as the model learned to read,
   * else 1; where they vote, 8.
   */
  readonly frames?: number;
  /** Captions each frame alone and takes the caption nearest to the others, instead of one from all frames together. */
  readonly vote?: boolean;
  readonly caption?: CaptionOptions;
}

/** A scene with its caption. */
export interface DescribedScene extends Scene {
  /** Times of the cuts within it, where scenes that said the same were joined. */
  readonly cuts: readonly number[];
  readonly caption: Caption;
  /** Times of the frames that the caption was made from. */
  readonly frameTimes: readonly number[];
  /** A frame from its middle. */
  readonly picture: KeptFrame;
}

/**
 * Captions a scene.
 * @throws as `Captioner.captionTogether`
 */
export async function describeScene(
  captioner: Captioner,
  scene: Scene,
  { frames, picture }: SceneFrames,
  { vote = false, caption: given = {} }: Pick<DescribeOptions, 'vote' | 'caption'>,
): Promise<DescribedScene> {
  const options = { ...given, words: true };
  const prepared = await Promise.all(frames.map((frame) => captioner.prepare(frame, options)));
  const described = (caption: Caption, used: readonly KeptFrame[]): DescribedScene => ({
    ...scene,
    cuts: [],
    caption,
    frameTimes: used.map(({ time }) => time),
    picture,
  });
  if (!vote) {
    const { captions } = await captioner.captionTogether(prepared, options);
    return described(captions[0], frames);
  }
  const all = await captioner.captionPrepared(prepared, options);
  const winner = all[electCaption(all.map(({ caption }) => caption))];
  return described(winner.captions[0], frames);
}

/** Neighbours that say the same made one scene, numbered anew. The surer caption stays, with its picture. */
export async function* joinAlike(
  scenes: AsyncIterable<DescribedScene>,
): AsyncGenerator<DescribedScene> {
  let last: DescribedScene | undefined;
  let number = 1;
  for await (const scene of scenes) {
    if (last?.caption.text === scene.caption.text) {
      const surer = scene.caption.meanLogprob > last.caption.meanLogprob ? scene : last;
      const { start, firstFrame, cuts } = last;
      const frameTimes = [...last.frameTimes, ...scene.frameTimes];
      const { end, endFrame } = scene;
      last = {
        ...surer,
        start,
        firstFrame,
        end,
        endFrame,
        frameTimes,
        cuts: [...cuts, scene.start],
        number: last.number,
      };
      continue;
    }
    if (last) yield last;
    last = { ...scene, number: number++ };
  }
  if (last) yield last;
}
