/** What reads films, where one, the other, both or none is installed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { chooseDecoder } from '../../../src/data/films/choose.ts';
import { hasFfmpeg } from './films.ts';
import { hasNodeAv } from './node-av/there.ts';

const empty = mkdtempSync(join(tmpdir(), 'refcap-choose-'));
const { PATH: path = '' } = process.env;
afterEach(() => {
  process.env.PATH = path;
  rmSync(empty, { recursive: true, force: true });
});

it.skipIf(!hasFfmpeg)('is ffmpeg where it is there', async () => {
  expect((await chooseDecoder()).name).toBe('ffmpeg');
  expect((await chooseDecoder('ffmpeg')).name).toBe('ffmpeg');
});

it('is never ffmpeg where it is not on the PATH', async () => {
  process.env.PATH = empty;
  await expect(chooseDecoder('ffmpeg')).rejects.toThrow(
    /^ffmpeg or its ffprobe is not installed .*apt install ffmpeg.*, or leave out --decoder\.$/,
  );
});

it.skipIf(!hasNodeAv)('is node-av where ffmpeg is not, or where it is asked for', async () => {
  expect((await chooseDecoder('node-av')).name).toBe('node-av');
  process.env.PATH = empty;
  expect((await chooseDecoder()).name).toBe('node-av');
});

it.skipIf(hasNodeAv)('is told in a sentence where neither is there', async () => {
  await expect(chooseDecoder('node-av')).rejects.toThrow(
    /^the npm package node-av is not installed; .*npm install --ignore-scripts node-av/,
  );
  process.env.PATH = empty;
  await expect(chooseDecoder()).rejects.toThrow(
    /^films are read by ffmpeg and its ffprobe, .* or by the npm package node-av, which is not installed either; .*apt install ffmpeg.*npm install --ignore-scripts node-av/,
  );
});
