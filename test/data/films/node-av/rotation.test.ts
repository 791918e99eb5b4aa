/** Films are turned and mirrored by their matrices as the program ffmpeg does it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ffmpegDecoder } from '../../../../src/data/films/ffmpeg.ts';
import { readFrames } from '../../../../src/data/films/frames.ts';
import { nodeAvDecoder } from '../../../../src/data/films/node-av/node-av.ts';
import { rotationOf, turningFilters } from '../../../../src/data/films/node-av/rotation.ts';
import { probeFilm } from '../../../../src/data/films/probe.ts';
import { hasFfmpeg, makeFilm } from '../films.ts';
import { hasNodeAv } from './there.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-rotation-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const matrix = (a: number, b: number, c: number, d: number) =>
  Int32Array.from([a, b, 0, c, d, 0, 0, 0, 2 ** 14].map((value) => Math.round(value * 2 ** 16)));

it('are turned by degrees of the matrix', () => {
  expect(rotationOf(matrix(0, 1, -1, 0))).toBeCloseTo(-90);
  expect(rotationOf(matrix(0, 0, 0, 0))).toBe(0);
  expect(turningFilters(matrix(0, 1, -1, 0))).toEqual(['transpose=clock']);
  expect(turningFilters(undefined)).toEqual([]);
});

const orientations: readonly [number, number, number, number][] = [
  ...([
    [0, 1, -1, 0],
    [0, -1, 1, 0],
    [-1, 0, 0, -1],
    [-1, 0, 0, 1],
  ] as const),
  ...([
    [1, 0, 0, -1],
    [0, 1, 1, 0],
    [0, -1, -1, 0],
  ] as const),
].map(([a, b, c, d]) => [a, b, c, d]);

describe.skipIf(!hasFfmpeg || !hasNodeAv)('a film with the matrix', () => {
  const flat = join(folder, 'flat.mp4');

  it.each(orientations)('%i %i %i %i stands as by ffmpeg', async (...numbers) => {
    makeFilm(
      ...['-f', 'lavfi', '-t', '0.2', '-i', 'testsrc2=s=64x32:r=10'],
      ...['-c:v', 'mpeg4', '-q:v', '2', flat],
    );
    const bytes = readFileSync(flat);
    // The matrix of a track's header stands 44 bytes behind its name.
    const at = bytes.indexOf('tkhd') + 44;
    const [a, b, c, d] = numbers;
    for (const [i, value] of [a, b, 0, c, d].entries())
      bytes.writeInt32BE(value * 2 ** 16, at + 4 * i);
    const path = join(folder, 'turned.mp4');
    writeFileSync(path, bytes);
    const pictures: { readonly size: number[]; readonly data: Uint8Array }[] = [];
    for (const decoder of [ffmpegDecoder, nodeAvDecoder])
      for await (const { width, height, data } of readFrames(
        await probeFilm(path, undefined, decoder),
      ))
        pictures.push({ size: [width, height], data: data.slice() });
    expect(pictures).toHaveLength(4);
    expect(pictures[0].size).toEqual(a === 0 ? [32, 64] : [64, 32]);
    expect(pictures.slice(2)).toEqual(pictures.slice(0, 2));
  });
});
