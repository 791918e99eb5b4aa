/** Two evaluations side by side: their scores are those of refcap score, and only like is compared with like. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareEvaluations, disagreement } from '../../src/compare/compare.ts';
import { scoreFiles } from '../../src/score/files.ts';
import { type Item, metricFixture, temporaryFolder, write } from '../data/caption-files.ts';

const root = temporaryFolder();
const items = metricFixture<{ items: Item[] }>('caption_stream.json').items.slice(0, 40);

interface Row {
  readonly file: string;
  readonly caption: string;
  readonly references: readonly string[];
}
const ours: Row[] = items.map(({ id, candidate, references }) => ({
  file: `${id}.jpg`,
  caption: candidate,
  references,
}));
/** The captions of the neighbours, whose pictures stand in another order. */
const theirs = ours
  .map((row, i) => ({ ...row, caption: ours[(i + 1) % ours.length].caption }))
  .reverse();

function evaluation(name: string, rows: readonly Row[], split = 'test'): string {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  const data = { source: 's', split, images: rows.length, fingerprint: 'd' };
  const results = { model: { name, fingerprint: name }, data, metrics: {}, decoding: {} };
  write(folder, 'results.json', JSON.stringify(results));
  const lines = rows.map((row) => JSON.stringify({ ...row, path: `/${row.file}`, scores: {} }));
  write(folder, 'captions.jsonl', lines.join('\n'));
  return folder;
}

const options = { bootstrap: 50, seed: 3 };
const first = evaluation('first', ours);
const second = evaluation('second', theirs);

describe('compareEvaluations', () => {
  it('gives to the bit what refcap score gives of the same captions', async () => {
    const { reports, names } = await compareEvaluations({ folders: [first, second], ...options });
    const byFile = new Map(theirs.map((row) => [row.file, row]));
    const lines = (rows: readonly Row[]) =>
      rows.map(({ file, caption }) => `${JSON.stringify({ image_id: file, caption })}\n`).join('');
    const references = ours.flatMap(({ file, references }) =>
      references.map((caption) => `${JSON.stringify({ image_id: file, caption })}\n`),
    );
    const expected = await scoreFiles({
      ...options,
      candidates: [
        write(root, 'a.jsonl', lines(ours)),
        write(root, 'b.jsonl', lines(ours.map(({ file }) => byFile.get(file) ?? ours[0]))),
      ],
      references: [write(root, 'r.jsonl', references.join(''))],
      workers: 0,
    });
    expect(names).toEqual([first, second]);
    for (const [i, report] of reports.entries()) {
      expect(report.n).toBe(ours.length);
      expect(report.metrics).toEqual(expected[i].metrics);
      expect(report.intervals).toEqual(expected[i].intervals);
      expect(report.comparison?.differences).toEqual(expected[i].comparison?.differences);
    }
    // Second minus first.
    const { CIDEr } = reports[1].comparison?.differences ?? {};
    expect(CIDEr.difference).toBeCloseTo(reports[1].metrics.CIDEr - reports[0].metrics.CIDEr, 12);
  });

  it('pairs pictures by name, in the order of the first', async () => {
    const { images } = await compareEvaluations({ folders: [first, second], ...options });
    expect(images.map(({ file }) => file)).toEqual(ours.map(({ file }) => file));
    for (const [i, image] of images.entries()) {
      expect(image.captions).toEqual([ours[i].caption, ours[(i + 1) % ours.length].caption]);
      expect(image.disagreement).toBe(disagreement(...image.captions));
    }
  });

  it('tells a folder from itself', async () => {
    const { names } = await compareEvaluations({
      folders: [first, `${first}/`],
      bootstrap: 0,
      seed: 0,
    });
    expect(names).toEqual([`${first} (first)`, `${first} (second)`]);
  });

  it.each([
    ['split', evaluation('other-split', ours, 'dev'), /of the test split and .* of the dev split/],
    ['pictures', evaluation('fewer', ours.slice(1)), /of .*first is missing/],
    [
      'names',
      evaluation('renamed', [{ ...ours[0], file: 'x.jpg' }, ...ours.slice(1)]),
      /x\.jpg is not among the pictures/,
    ],
    [
      'references',
      evaluation('rewritten', [{ ...ours[0], references: ['a'] }, ...ours.slice(1)]),
      /has other references than in/,
    ],
  ])('refuses another choice of %s', async (_, other, sentence) => {
    await expect(compareEvaluations({ folders: [first, other], ...options })).rejects.toThrow(
      sentence,
    );
  });
});

describe('disagreement', () => {
  it.each([
    ['a dog runs', 'A dog runs!', 0],
    ['a dog', 'two cats', 1],
    ['a dog runs', 'a dog sleeps', 0.5],
    ['', '', 0],
    ['', 'a dog', 1],
    ["the dog's ball", 'the dogs ball', 0.5],
  ])('of "%s" and "%s" is %f', (a, b, expected) => {
    expect(disagreement(a, b)).toBe(expected);
  });
});
