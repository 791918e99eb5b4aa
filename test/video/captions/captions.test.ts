/** Which frames a scene is captioned from, which caption is elected, which scenes are joined. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VideoFrame } from '../../../src/data/films/frames.ts';
import {
  FramePool,
  type KeptFrame,
  sceneFrames,
  spreadFrames,
} from '../../../src/data/films/pool.ts';
import { type DescribedScene, joinAlike } from '../../../src/video/captions/describe.ts';
import { electCaption } from '../../../src/video/captions/vote.ts';
import type { Scene } from '../../../src/video/scenes/scenes.ts';

const scene = (firstFrame: number, endFrame: number): Scene => ({
  number: 1,
  start: firstFrame / 25,
  end: endFrame / 25,
  firstFrame,
  endFrame,
});
/** All frames have the same memory, as those of a film. */
const memory = new Uint8Array(3);
const frame = (index: number): VideoFrame => {
  memory.fill(index % 256);
  return { index, time: index / 25, width: 1, height: 1, data: memory };
};
const indexes = (frames: readonly KeptFrame[]) => frames.map(({ index }) => index);

describe('frames of a scene', () => {
  it('are as many as wanted, near the middles of equal parts, however long it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 3000 }), fc.constantFrom(1, 4, 8), (length, wanted) => {
        const pool = new FramePool(wanted);
        for (let i = 0; i < length + 3; i++) pool.add(frame(i));
        const whole = scene(0, length);
        const frames = spreadFrames(pool.take(whole), whole, wanted);
        expect(frames).toHaveLength(wanted);
        for (const [i, { index, data }] of frames.entries()) {
          const middle = ((i + 0.5) * length) / wanted - 0.5;
          expect(Math.abs(index - middle)).toBeLessThanOrEqual(Math.max(1, length / wanted / 3));
          // Its own pixels, though the memory was used again.
          expect(data[0]).toBe(index % 256);
        }
      }),
    );
  });

  it('are its own, and those of the next scene stay', () => {
    const pool = new FramePool(2);
    for (let i = 0; i < 103; i++) pool.add(frame(i));
    expect(Math.max(...indexes(pool.take(scene(0, 100))))).toBeLessThan(100);
    const rest = indexes(pool.take(scene(100, 103)));
    expect(rest.length).toBeGreaterThan(0);
    expect(Math.min(...rest)).toBeGreaterThanOrEqual(100);
  });

  it('are there for scenes of one frame too', () => {
    const pool = new FramePool(8);
    for (let i = 0; i < 5; i++) pool.add(frame(i));
    expect(indexes(pool.take(scene(0, 2)))).toEqual([0, 1]);
    expect(indexes(pool.take(scene(2, 3)))).toEqual([2]);
    expect(indexes(pool.take(scene(3, 5)))).toEqual([3, 4]);
  });

  it('keep their memory though others are given back', () => {
    const pool = new FramePool(2);
    for (let i = 0; i < 40; i++) pool.add(frame(i));
    const whole = scene(0, 40);
    const kept = pool.take(whole);
    const { frames, picture } = sceneFrames(kept, whole, 2);
    const used = new Set([...frames, picture]);
    pool.release(kept.filter((one) => !used.has(one)));
    const given = new Set(kept.map(({ data }) => data));
    for (let i = 40; i < 90; i++) pool.add(frame(i));
    for (const { index, data } of used) expect(data[0]).toBe(index);
    const later = pool.take(scene(40, 90));
    for (const { index, data } of later) expect(data[0]).toBe(index);
    expect(later.some(({ data }) => given.has(data))).toBe(true);
    // A scene without frames of its own has a copy of the next one's.
    pool.add(frame(90));
    const [first] = pool.take(scene(90, 90));
    pool.release(pool.take(scene(90, 91)));
    pool.add(frame(91));
    expect(first.data[0]).toBe(90);
  });

  it('that are large are kept smaller, as means', () => {
    const data = Uint8Array.from({ length: 1600 * 4 * 3 }, (_, i) => (Math.floor(i / 3) % 2) * 100);
    const pool = new FramePool(1);
    pool.add({ index: 0, time: 0, width: 1600, height: 4, data });
    const [small] = pool.take(scene(0, 1));
    expect([small.width, small.height]).toEqual([800, 2]);
    expect(new Set(small.data)).toEqual(new Set([50]));
  });
});

describe('the elected caption', () => {
  it('is the one nearest to the others', () => {
    const captions = [
      'a cat sits on a mat',
      'a dog runs in the snow',
      'two men',
      'a dog runs in the grass',
    ];
    expect([1, 3]).toContain(electCaption(captions));
    expect(electCaption(['a cat', 'a dog runs', 'a dog runs', 'a dog runs'])).toBe(1);
  });

  it('is the first of captions that are all the same, or have nothing in common', () => {
    expect(electCaption(['a dog', 'a dog'])).toBe(0);
    expect(electCaption(['one'])).toBe(0);
    expect(electCaption(['one', 'two', 'three'])).toBe(0);
    expect(electCaption(['', ''])).toBe(0);
  });
});

describe('neighbouring scenes that say the same', () => {
  const said = (number: number, text: string, meanLogprob: number): DescribedScene => ({
    ...scene(10 * number, 10 * number + 10),
    number,
    cuts: [],
    caption: { text, ids: [], logprob: meanLogprob, meanLogprob },
    frameTimes: [number],
    picture: { index: number, time: 0, width: 1, height: 1, data: memory },
  });
  const joined = async (scenes: readonly DescribedScene[]): Promise<DescribedScene[]> => {
    const all: DescribedScene[] = [];
    const given = async function* () {
      yield* scenes;
    };
    for await (const one of joinAlike(given())) all.push(one);
    return all;
  };

  it('are one, with the cuts within and the surer caption', async () => {
    const scenes = [
      said(1, 'a', -3),
      said(2, 'b', -3),
      said(3, 'b', -1),
      said(4, 'b', -2),
      said(5, 'a', -1),
    ];
    const all = await joined(scenes);
    expect(all.map(({ number, firstFrame, endFrame }) => [number, firstFrame, endFrame])).toEqual([
      [1, 10, 20],
      [2, 20, 50],
      [3, 50, 60],
    ]);
    expect(all[1]).toMatchObject({
      cuts: [1.2, 1.6],
      frameTimes: [2, 3, 4],
      picture: { index: 3 },
    });
    expect(all[1].caption.meanLogprob).toBe(-1);
  });
});
