/** Evaluations read back: whole ones as they are, others with one sentence. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { readEvaluation } from '../../src/evaluate/run-folder.ts';
import { temporaryFolder, write } from '../data/caption-files.ts';

const root = temporaryFolder();
const folder = join(root, 'run');
const results = {
  model: { name: 'm', fingerprint: 'f' },
  data: { source: 'photos', split: 'test', images: 2, fingerprint: 'd' },
  metrics: { CIDEr: 0.5 },
  decoding: { num_beams: 3 },
};
const line = (file: string) => ({
  ...{ file, path: `/photos/${file}`, caption: 'a cat', references: ['the cat'] },
  scores: { CIDEr: 0.5 },
});
const jsonLines = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  write(folder, 'results.json', JSON.stringify(results));
  write(folder, 'captions.jsonl', jsonLines([line('a.jpg'), line('b.jpg')]));
});

async function refusal(): Promise<string> {
  const error: unknown = await readEvaluation(folder).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  return error instanceof InputError ? error.message : '';
}

describe('readEvaluation', () => {
  it('gives what evaluate wrote', async () => {
    const read = await readEvaluation(folder);
    expect(read).toEqual({ folder, results, captions: [line('a.jpg'), line('b.jpg')] });
  });

  it.each([
    ['results.json', '{}', /results\.json: model is not what refcap evaluate writes/],
    ['results.json', '{', /results\.json: not valid JSON/],
    [
      'results.json',
      JSON.stringify({ ...results, data: { ...results.data, images: 0 } }),
      /results\.json: data\.images is not/,
    ],
    ['captions.jsonl', jsonLines([line('a.jpg')]), /captions\.jsonl has 1 pictures .* of 2;/],
    [
      'captions.jsonl',
      jsonLines([line('a.jpg'), line('a.jpg')]),
      /captions\.jsonl: a\.jpg comes twice\./,
    ],
    [
      'captions.jsonl',
      `${jsonLines([line('a.jpg')])}{"file":"b`,
      /captions\.jsonl, line 2: not JSON; the file is cut off/,
    ],
    [
      'captions.jsonl',
      jsonLines([line('a.jpg'), { ...line('b.jpg'), references: [] }]),
      /captions\.jsonl, line 2: references/,
    ],
  ])('refuses %s of %s', async (name, text, sentence) => {
    write(folder, name, text);
    expect(await refusal()).toMatch(sentence);
  });

  it('says what a folder without results is', async () => {
    rmSync(join(folder, 'captions.jsonl'));
    expect(await refusal()).toMatch(/captions\.jsonl: the file is missing\./);
    rmSync(join(folder, 'results.json'));
    expect(await refusal()).toMatch(/no results\.json, so the evaluation was interrupted/);
    write(folder, 'metrics.jsonl', '');
    expect(await refusal()).toMatch(/training run, not an evaluation; it was interrupted before/);
    mkdirSync(join(folder, 'best'));
    expect(await refusal()).toMatch(/training run.*run refcap evaluate .*best first\.$/);
    rmSync(folder, { recursive: true });
    expect(await refusal()).toBe(`${folder}: there is no such folder.`);
  });
});
