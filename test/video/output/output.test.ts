/** Where results go: whole or not at all, and gone on with where a run was stopped. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CaptionedFilm } from '../../../src/video/output/formats.ts';
import { fileOutput, filesOutput } from '../../../src/video/output/output.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-film-output-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'films.jsonl');

function film(file: string, scenes = 3): CaptionedFilm {
  const caption = { text: 'a dog', ids: [], logprob: -2, meanLogprob: -1 };
  return {
    file,
    rate: 25,
    scenes: Array.from({ length: scenes }, (_, i) => ({
      number: i + 1,
      start: 2 * i,
      end: 2 * i + 2,
      firstFrame: 50 * i,
      endFrame: 50 * i + 50,
      cuts: [],
      caption,
      frameTimes: [2 * i + 1],
    })),
  };
}

const keep = { resume: false, overwrite: false };

describe('rows in a file', () => {
  it('go on behind the last whole film, wherever the run was cut', async () => {
    const first = await fileOutput(path, 'jsonl', keep);
    for (const name of ['a.mp4', 'b.mp4', 'c.mp4']) await first.write(film(name));
    await first.finish();
    const whole = readFileSync(path);
    for (const length of [
      0,
      5,
      whole.indexOf(10) + 1,
      Math.floor(whole.length / 2),
      whole.length - 1,
    ]) {
      writeFileSync(path, whole.subarray(0, length));
      const again = await fileOutput(path, 'jsonl', { ...keep, resume: true });
      for (const name of ['a.mp4', 'b.mp4', 'c.mp4'])
        if (!(await again.has(name))) await again.write(film(name));
      await again.finish();
      expect(readFileSync(path).equals(whole)).toBe(true);
    }
  });

  it('do not touch what is something else, and JSON alone is no file to go on with', async () => {
    writeFileSync(path, 'my notes\n');
    await expect(fileOutput(path, 'jsonl', { ...keep, resume: true })).rejects.toThrow(
      /line 1 is no scene of a film/,
    );
    expect(readFileSync(path, 'utf8')).toBe('my notes\n');
    writeFileSync(path, 'my notes');
    await expect(fileOutput(path, 'jsonl', { ...keep, resume: true })).rejects.toThrow(
      /line 1 is no scene/,
    );
    await expect(fileOutput(path, 'json', { ...keep, resume: true })).rejects.toThrow(
      /--resume goes on with/,
    );
  });
});

describe('a file of one text', () => {
  it('is written when the film is done, and stays as it is where none was', async () => {
    const subtitles = join(folder, 'one.srt');
    const first = await fileOutput(subtitles, 'srt', keep);
    await first.write(film('a.mp4'));
    await first.finish();
    const text = readFileSync(subtitles, 'utf8');
    expect(text).toContain('00:00:00,000 --> 00:00:01,920\na dog\n');
    const second = await fileOutput(subtitles, 'srt', { ...keep, overwrite: true });
    await second.finish();
    expect(readFileSync(subtitles, 'utf8')).toBe(text);
  });

  it.skipIf(process.platform !== 'linux')('says so where the disk is full', async () => {
    const output = await fileOutput('/dev/full', 'jsonl', keep);
    const writing = async () => {
      await output.write(film('a.mp4'));
      await output.finish();
    };
    await expect(writing()).rejects.toThrow(/\/dev\/full: the disk is full/);
  });
});

describe('files for each film', () => {
  it('are there as a whole, or the film is done again', async () => {
    const films = ['x/a.mp4', 'x/b.mp4'];
    const output = await filesOutput(films, ['vtt', 'json', 'chapters'], folder, keep);
    await output.write(film('x/a.mp4'));
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith('a.'))
        .sort(),
    ).toEqual(['a.chapters.vtt', 'a.json', 'a.vtt']);
    await expect(filesOutput(films, ['vtt'], folder, keep)).rejects.toThrow(
      /a\.vtt exists; use --resume/,
    );
    const again = await filesOutput(films, ['vtt', 'json', 'chapters'], folder, {
      ...keep,
      resume: true,
    });
    expect([await again.has(films[0]), await again.has(films[1])]).toEqual([true, false]);
    rmSync(join(folder, 'a.chapters.vtt'));
    expect(await again.has(films[0])).toBe(false);
  });

  it('belong to one film each', async () => {
    const clash = filesOutput(['x/a.mp4', 'y/a.avi'], ['srt'], folder, {
      ...keep,
      overwrite: true,
    });
    await expect(clash).rejects.toThrow(
      /x\/a\.mp4 and y\/a\.avi: both would be written to .*a\.srt/,
    );
  });
});
