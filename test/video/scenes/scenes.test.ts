/** Scenes against PySceneDetect: each frame's values, and its cuts, on frames made by a formula and on the shared clips. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readFrames, type VideoFrame } from '../../../src/data/films/frames.ts';
import { probeFilm } from '../../../src/data/films/probe.ts';
import { type Detector, detectorNames, detectors } from '../../../src/video/scenes/detectors.ts';
import { FrameMeter, type FramePlace } from '../../../src/video/scenes/measure.ts';
import { detectScenes, type Scene, type SceneOptions } from '../../../src/video/scenes/scenes.ts';
import { clips, hasFfmpeg } from '../../data/films/films.ts';
import { fixtures } from '../../paths.ts';

const numbers = z.array(z.number());
const cutNames = [
  'adaptive',
  'content',
  'content, 40 frames',
  'content, 12',
  'fades',
  'white-fades',
] as const;
const references = z
  .object({
    films: z.array(
      z.object({
        width: z.number(),
        height: z.number(),
        changes: numbers,
        brightness: numbers,
        cuts: z.record(z.enum(cutNames), numbers),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(fixtures, 'video/scenes.json'), 'utf8')));

/** As `frame` of scripts/make-scene-references.py. */
function frame(width: number, height: number, index: number): VideoFrame {
  const scene = Math.floor(index / 20);
  const dim = scene % 2 === 1 ? Math.max(0, 20 - 3 * (19 - (index % 20))) : 0;
  const shade = (value: number): number => Math.floor(((value & 255) * (20 - dim)) / 20);
  const data = new Uint8Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      data[at++] = shade((x * (3 + scene) + y * 2 + index * 5) >> 2);
      data[at++] = shade((Math.floor((x * y) / 64) + scene * 70 + index) ^ (x >> 3));
      data[at++] = shade((y * (5 + scene) - x + index * 3) >> 1);
    }
  return { index, time: index / 25, width, height, data };
}

async function* framesOf(width: number, height: number, count = 90): AsyncGenerator<VideoFrame> {
  for (let i = 0; i < count; i++) yield frame(width, height, i);
}

async function scenesOf(
  film: { width: number; height: number; rate: number },
  frames: AsyncIterable<VideoFrame>,
  options: SceneOptions,
): Promise<Scene[]> {
  const scenes: Scene[] = [];
  for await (const scene of detectScenes(film, frames, options)) scenes.push(scene);
  return scenes;
}
const cutsOf = (scenes: readonly Scene[]) => scenes.slice(1).map(({ firstFrame }) => firstFrame);

describe.each(references.films)('frames of $width x $height', (film) => {
  const meter = new FrameMeter(film.width, film.height);
  const measured = film.changes.map((_, i) => meter.measure(frame(film.width, film.height, i)));

  it('have the values that PySceneDetect has, to the bit', () => {
    expect(measured.map(({ change }) => change)).toEqual(film.changes);
    expect(measured.map(({ brightness }) => brightness)).toEqual(film.brightness);
  });

  const detectorOf: Record<(typeof cutNames)[number], Detector> = {
    adaptive: detectors.adaptive(25, {}),
    content: detectors.content(25, {}),
    'content, 40 frames': detectors.content(25, { minLength: { frames: 40 } }),
    'content, 12': detectors.content(25, { threshold: 12 }),
    fades: detectors.fades(25, { threshold: 40 }),
    'white-fades': detectors['white-fades'](25, { threshold: 90 }),
  };
  it.each(cutNames)('are cut where PySceneDetect cuts: %s', (name) => {
    const cuts = measured.flatMap((one) => detectorOf[name].push(one));
    expect(cuts.map(({ index }) => index)).toEqual(film.cuts[name]);
  });
});

describe('scenes', () => {
  const film = { width: 100, height: 60, rate: 25 };

  it('follow each other without gaps, from the first frame to the end of the last', async () => {
    const scenes = await scenesOf(film, framesOf(100, 60), {});
    expect(scenes[0]).toMatchObject({ number: 1, start: 0, firstFrame: 0 });
    expect(scenes.at(-1)).toMatchObject({ endFrame: 90, end: 90 / 25 });
    for (const [i, { start, firstFrame }] of scenes.slice(1).entries())
      expect({ start, firstFrame }).toEqual({
        start: scenes[i].end,
        firstFrame: scenes[i].endFrame,
      });
  });

  it('may have a shortest length in seconds', async () => {
    const seconds = await scenesOf(film, framesOf(100, 60), { minLength: { seconds: 1.2 } });
    const frames = await scenesOf(film, framesOf(100, 60), { minLength: { frames: 30 } });
    expect(cutsOf(seconds)).toEqual(cutsOf(frames));
    expect(cutsOf(seconds)).toEqual([40, 80]);
  });

  it('are one for a film of one frame, none for a film of none', async () => {
    expect(await scenesOf(film, framesOf(100, 60, 1), {})).toEqual([
      { number: 1, start: 0, end: 1 / 25, firstFrame: 0, endFrame: 1 },
    ]);
    expect(await scenesOf(film, framesOf(100, 60, 0), {})).toEqual([]);
  });
});

const cutsSchema = z.array(z.object({ frame: z.number(), seconds: z.number() }));
const clipsSchema = z.object({
  clips: z.record(
    z.string(),
    z.object({ adaptive: cutsSchema, content: cutsSchema, frames: z.number() }),
  ),
});

describe.skipIf(!hasFfmpeg || clips === undefined)('the shared clips', () => {
  const folder = clips ?? '';
  const text =
    clips === undefined ? '{"clips": {}}' : readFileSync(join(folder, 'scenes.json'), 'utf8');
  const fades: Readonly<Record<string, { black: number[]; white?: number[] }>> = {
    'fades.mp4': { black: [84, 167], white: [42, 126, 209] },
    'testvideo.mp4': { black: [15, 198, 377] },
  };

  it.each(Object.entries(clipsSchema.parse(JSON.parse(text)).clips))(
    'are cut where PySceneDetect cuts, at its times: %s',
    async (name, expected) => {
      const film = await probeFilm(join(folder, 'clips', name));
      const meter = new FrameMeter(film.width, film.height);
      const all = detectorNames.map((detector) => ({
        push: detectors[detector](film.rate, {}),
        cuts: [] as FramePlace[],
      }));
      let count = 0;
      for await (const frame of readFrames(film)) {
        const measured = meter.measure(frame);
        for (const { push, cuts } of all) cuts.push(...push.push(measured));
        count += 1;
      }
      expect(count).toBe(expected.frames);
      const [adaptive, content, black, white] = all.map(({ cuts }) => cuts);
      for (const [found, wanted] of [
        [adaptive, expected.adaptive],
        [content, expected.content],
      ] as const) {
        expect(found.map(({ index }) => index)).toEqual(wanted.map((cut) => cut.frame));
        // OpenCV's times end at the microsecond.
        for (const [i, { time }] of found.entries())
          expect(Math.abs(time - wanted[i].seconds)).toBeLessThan(1e-6);
      }
      const known = fades[name];
      if (known) expect(black.map(({ index }) => index)).toEqual(known.black);
      if (known?.white) expect(white.map(({ index }) => index)).toEqual(known.white);
    },
  );
});
