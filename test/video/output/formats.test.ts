/** Subtitles and their limits: by property, by webvtt-parser, and there and back through ffmpeg. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { WebVTTParser } from 'webvtt-parser';
import type { DescribedScene } from '../../../src/video/captions/describe.ts';
import {
  type CaptionedFilm,
  clock,
  formatOfName,
  formatRules,
} from '../../../src/video/output/formats.ts';
import { breakLines, subtitleCues } from '../../../src/video/output/subtitles.ts';
import { hasFfmpeg } from '../../data/films/films.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-subtitles-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const picture = { index: 0, time: 0, width: 1, height: 1, data: new Uint8Array(3) };
function scene(
  number: number,
  start: number,
  end: number,
  text: string,
  cuts: number[] = [],
): DescribedScene {
  const [firstFrame, endFrame] = [Math.round(start * 25), Math.round(end * 25)];
  const words = [{ text, logprob: -2 }];
  const caption = { text, ids: [], logprob: -2, meanLogprob: Math.log(0.5), words };
  return { number, start, end, firstFrame, endFrame, cuts, caption, frameTimes: [start], picture };
}
const long =
  'a man in a yellow coat and a woman in a red dress are walking with two dogs along the beach at night';
const film: CaptionedFilm = {
  file: 'a.mp4',
  rate: 25,
  scenes: [
    scene(1, 0, 3, 'a dog runs'),
    scene(2, 3, 3.4, 'too short to be read'),
    scene(3, 3.4, 20.033367, 'two people & a <very> small "dog" are standing in the snow'),
    scene(4, 20.033367, 24, long),
    scene(5, 24, 27, 'a cut within', [24.5]),
    scene(6, 3700.5, 3703, 'later'),
  ],
};

describe('subtitles', () => {
  const moment = fc.integer({ min: 1, max: 40_000 }).map((n) => n / 1000);
  const film25 = fc.array(
    fc.tuple(moment, fc.lorem({ maxCount: 40 }), fc.array(moment, { maxLength: 3 })),
    {
      maxLength: 12,
    },
  );

  it('keep the limits, whatever the scenes', () => {
    fc.assert(
      fc.property(film25, fc.constantFrom(10, 23.976, 25, 60), (parts, rate) => {
        let at = 0;
        const scenes = parts.map(([length, text, inner]) => {
          const start = at;
          at += length;
          const cuts = [...new Set(inner.map((time) => start + time))]
            .filter((time) => time < at)
            .sort((a, b) => a - b);
          return { start, end: at, cuts, caption: { text } };
        });
        const cues = subtitleCues(scenes, rate);
        const cuts = scenes.flatMap(({ start, cuts: inner }) => [start, ...inner]);
        for (const [i, { start, end, lines }] of cues.entries()) {
          expect(lines.length).toBeLessThanOrEqual(2);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(42);
          expect(end - start).toBeGreaterThanOrEqual(833);
          expect(end - start).toBeLessThanOrEqual(7000);
          if (i > 0)
            expect(start - cues[i - 1].end).toBeGreaterThanOrEqual(Math.floor(2000 / rate));
          expect(
            cuts.filter((cut) => cut * 1000 > start + 1e-6 && cut * 1000 < end - 1e-6),
          ).toEqual([]);
        }
      }),
    );
  });

  it('lose no word where there is time', () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 30 }), (text) => {
        const cues = subtitleCues([{ start: 0, end: 60, cuts: [], caption: { text } }], 25);
        expect(cues.flatMap(({ lines }) => lines).join(' ')).toBe(text);
      }),
    );
  });

  it('break lines evenly, and words only where they must', () => {
    expect(breakLines('a dog runs')).toEqual(['a dog runs']);
    expect(breakLines('two people and a very small dog are standing in the snow')).toEqual([
      'two people and a very small',
      'dog are standing in the snow',
    ]);
    expect(breakLines('x'.repeat(100)).map(({ length }) => length)).toEqual([42, 42, 16]);
  });

  it('have no cue where none fits, and are in the first shot that is long enough', () => {
    const cues = subtitleCues(film.scenes, 25);
    expect(cues.map(({ lines: [line] }) => line)).not.toContain('too short to be read');
    expect(cues.find(({ lines: [line] }) => line === 'a cut within')).toMatchObject({
      start: 24_500,
      end: 26_920,
    });
  });
});

describe('files of subtitles', () => {
  it.each(['vtt', 'chapters', 'descriptions'] as const)(
    'are WebVTT without an error: %s',
    (format) => {
      const mode = format === 'chapters' ? 'chapters' : undefined;
      const { cues, errors } = new WebVTTParser().parse(formatRules[format].write([film]), mode);
      expect(errors).toEqual([]);
      const texts = cues.map(({ text }) => text.replaceAll('\n', ' '));
      expect(texts).toContain(
        'two people &amp; a &lt;very&gt; small "dog" are standing in the snow',
      );
      expect(texts).toHaveLength(format === 'vtt' ? 6 : film.scenes.length);
      if (format !== 'vtt') expect([cues[2].startTime, cues[2].endTime]).toEqual([3.4, 20.033]);
    },
  );

  it.skipIf(!hasFfmpeg)('come back the same through ffmpeg', () => {
    const convert = (from: string, to: string) => {
      execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', join(folder, from), join(folder, to)], {
        stdio: 'inherit',
      });
      // In SubRip files ffmpeg ends the lines within a cue as Windows does.
      return readFileSync(join(folder, to), 'utf8').replaceAll('\r\n', '\n');
    };
    const plain = { ...film, scenes: film.scenes.filter(({ number }) => number !== 3) };
    for (const format of ['srt', 'vtt'] as const) {
      const text = formatRules[format].write([plain]);
      writeFileSync(join(folder, `a.${format}`), text);
      expect(convert(`a.${format}`, `b.${format}`).trim()).toBe(
        // ffmpeg leaves out hours that are none.
        format === 'vtt' ? text.trim().replace(/\b00:(\d\d:\d\d\.)/g, '$1') : text.trim(),
      );
    }
  });

  it('have the times of hours, minutes and seconds', () => {
    expect(clock(3_723_004)).toBe('01:02:03.004');
    expect(clock(59_999.6, ',')).toBe('00:01:00,000');
  });
});

describe('tables of scenes', () => {
  it('have a row for each scene, the last of a film marked', () => {
    const rows = formatRules.jsonl
      .write([film, { ...film, file: 'b.mp4' }])
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(12);
    expect(rows.map(({ isLast }) => isLast ?? false).indexOf(true)).toBe(5);
    expect(rows[3]).toMatchObject({
      file: 'a.mp4',
      scene: 4,
      start: 20.033367,
      end: 24,
      frames: [20.033367],
      confidence: 0.5,
    });
    expect(JSON.parse(formatRules.json.write([film]))).toEqual(rows.slice(0, 6));
    expect(formatRules.text.write([film]).split('\n')[0]).toBe(
      'a.mp4\t00:00:00.000\t00:00:03.000\ta dog runs',
    );
  });

  it('are known by the names of files', () => {
    const names = [
      'a.txt',
      'a.JSON',
      'a.jsonl',
      'a.srt',
      'a.vtt',
      'a.chapters.vtt',
      'a.descriptions.vtt',
      'a.mp4',
    ];
    expect(names.map(formatOfName)).toEqual([
      'text',
      'json',
      'jsonl',
      'srt',
      'vtt',
      'chapters',
      'descriptions',
      undefined,
    ]);
  });
});
