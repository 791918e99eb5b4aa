/** Frames that clips are learned from: spread over them, as many as are wanted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isFilmName } from '../../../src/data/films/names.ts';
import { sampleFrames } from '../../../src/data/films/sample.ts';
import { repositoryRoot } from '../../paths.ts';
import { grey, hasFfmpeg, lossless, makeFilm } from './films.ts';
import { hasNodeAv } from './node-av/there.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-clips-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The numbers of a clip's frames, by their greys. */
async function sampled(path: string, count: number): Promise<number[]> {
  const frames = await sampleFrames(path, count);
  return frames.map(({ data }) => Math.round((data[0] * 219) / 255 / 8));
}

describe.skipIf(!hasFfmpeg)('frames of a clip', () => {
  it('are those at the middles of as many equal parts', async () => {
    const clip = makeFilm(...grey(24), ...lossless, join(folder, 'clip.mkv'));
    expect(await sampled(clip, 4)).toEqual([2, 8, 14, 20]);
    expect(await sampled(clip, 1)).toEqual([12]);
  });

  it.skipIf(!hasNodeAv)('are the same where node-av alone reads films', async () => {
    const { PATH: path = '' } = process.env;
    process.env.PATH = folder;
    try {
      expect(await sampled(join(folder, 'clip.mkv'), 4)).toEqual([2, 8, 14, 20]);
    } finally {
      process.env.PATH = path;
    }
  });

  it('come again where a clip has fewer', async () => {
    const clip = makeFilm(...grey(2), ...lossless, join(folder, 'short.mkv'));
    expect(await sampled(clip, 5)).toEqual([0, 0, 0, 1, 1]);
  });

  it('are read of many clips at once', async () => {
    const clip = makeFilm(...grey(6), ...lossless, join(folder, 'many.mkv'));
    const all = await Promise.all(Array.from({ length: 12 }, () => sampled(clip, 2)));
    for (const one of all) expect(one).toEqual([1, 4]);
  });

  it('fail in a sentence, and the next are read', async () => {
    writeFileSync(join(folder, 'text.mp4'), 'no film');
    await expect(sampleFrames(join(folder, 'text.mp4'), 2)).rejects.toThrow(
      /text\.mp4: this is no/,
    );
    expect(await sampled(join(folder, 'short.mkv'), 2)).toEqual([0, 1]);
  });
});

it('are the picture, of a picture', async () => {
  const frames = await sampleFrames(join(repositoryRoot, 'samples/cat.jpg'), 3);
  expect(frames).toHaveLength(3);
  expect(new Set(frames).size).toBe(1);
});

it('are told from pictures by their names', () => {
  expect(['a.mp4', 'b/A.AVI', 'c.webm'].every(isFilmName)).toBe(true);
  expect(['a.gif', 'b.jpg', 'mp4', 'c.mp4.txt'].some(isFilmName)).toBe(false);
});
