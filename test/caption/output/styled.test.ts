/** Styles and keywords on the way to where captions are written. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CaptionRow } from '../../../src/caption/output/formats.ts';
import type { CaptionSink } from '../../../src/caption/output/output.ts';
import { sidecarSink } from '../../../src/caption/output/sidecar.ts';
import { styledSink } from '../../../src/caption/output/styled.ts';
import { xmpSink } from '../../../src/caption/output/xmp.ts';
import { readDescribed } from '../../../src/metadata/xmp/caption.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-styled-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const caption = { ids: [], logprob: -1, meanLogprob: -1 };
const row = (file: string, ...texts: string[]): CaptionRow => ({
  ...{ file, caption: texts[0], width: 1, height: 1, ms: 1 },
  captions: texts.map((text) => ({ text, ...caption })),
});

describe('styled captions', () => {
  it('are written with keywords of the drawn ones, which are not', async () => {
    const written: CaptionRow[] = [];
    const memory: CaptionSink = {
      has: async () => false,
      write: async (rows) => void written.push(...rows),
      finish: async () => undefined,
    };
    const sink = styledSink(memory, { neutralPeople: true, sentence: true }, 2);
    const drawn = ['a woman runs on a beach', 'a man with a dog on a beach'];
    await sink.write([{ ...row('a.jpg', 'a man runs', 'a boy runs'), drawn }]);
    expect(written).toEqual([
      { ...row('a.jpg', 'A person runs.', 'A person runs.'), keywords: ['person', 'beach'] },
    ]);
  });

  it('put their keywords into dc:subject', async () => {
    const file = join(folder, 'a.jpg');
    const settings = { existing: 'keep', resume: false, where: 'full' } as const;
    const sink = xmpSink({ ...settings, agent: 'refcap 1', model: 'm' });
    await sink.write([{ ...row(file, 'a dog'), keywords: ['dog', 'grass'] }]);
    const text = readFileSync(`${file}.xmp`, 'utf8');
    expect(readDescribed(text, file).keywords).toEqual(['dog', 'grass']);
  });
});

describe('text files that are there', () => {
  const options = { resume: false, overwrite: false, candidates: 1, batchSize: 1 };

  it.each([
    ['a cat\n', 'a cat\na dog\na toy\n'],
    ['a cat\r\na dog', 'a cat\r\na dog\na toy\n'],
    ['a dog\na toy', 'a dog\na toy'],
    ['', 'a dog\na toy\n'],
  ])('get captions that they lack behind their own: %j', async (before, after) => {
    const file = join(mkdtempSync(join(folder, 'p-')), 'a.jpg');
    const path = file.replace('.jpg', '.txt');
    writeFileSync(path, before);
    const sink = sidecarSink(options, true);
    expect(await sink.has(file)).toBe(false);
    await sink.write([row(file, 'a dog', 'a toy')]);
    expect(readFileSync(path, 'utf8')).toBe(after);
  });

  it('are refused where they would be damaged', async () => {
    const file = join(folder, 'latin.jpg');
    writeFileSync(join(folder, 'latin.txt'), Buffer.from('M\xf8n', 'latin1'));
    await expect(sidecarSink(options, true).has(file)).rejects.toThrow(/not valid UTF-8/);
  });
});
