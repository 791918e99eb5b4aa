/** METEOR against the values of the Java program (fixtures), and what must hold for any text. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadMeteorData } from '../../../src/data/text/meteor-data.ts';
import {
  createMeteor,
  createMeteorMetric,
  decodeMeteorData,
  type Meteor,
  meteorScore,
  parseParaphraseTable,
  toCorpusStatistics,
} from '../../../src/metrics/meteor/meteor.ts';
import { normalizeLine } from '../../../src/metrics/meteor/normalize.ts';
import { loadParaphraseTable } from '../../../src/score/paraphrases.ts';
import { fixtures, shared } from '../../paths.ts';

interface Item {
  id: string | number;
  ptb: { candidate: string; references: string[] };
  coco: Record<string, number | string>;
}
interface Corpus {
  items: Item[];
  corpus: { coco: Record<string, number> };
}

const folder = join(fixtures, 'metrics');
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const data = loadMeteorData();
const tablePath = join(folder, 'synthetic-paraphrase-en.gz');
const table = parseParaphraseTable(gunzipSync(readFileSync(tablePath)).toString('utf8'));
const plain = createMeteor(data);
const settings: [string, Meteor, string, string][] = [
  ['without table', plain, 'METEOR_stats', 'METEOR_exact_stem_synonym'],
  [
    'with table',
    createMeteor(data, table),
    'METEOR_stats_synthetic_paraphrase',
    'METEOR_with_synthetic_paraphrase_table',
  ],
];

function sumOf(meteor: Meteor, pairs: Iterable<[string, readonly string[]]>): Float64Array {
  const sums = new Float64Array(23);
  for (const [candidate, references] of pairs)
    for (const [i, value] of toCorpusStatistics(meteor.statistics(candidate, references)).entries())
      sums[i] = (sums[i] ?? 0) + value;
  return sums;
}

function corpora(): [string, Corpus][] {
  const files = ['coco_fakecap1000', 'edge_dev'].map((name) => join(folder, `${name}.json`));
  const larger = shared && join(shared, 'fixtures/metrics/flickr8k_dev1000.json');
  if (larger && existsSync(larger)) files.push(larger);
  const tiny: Corpus[] = read(join(folder, 'tiny_corpora.json')).corpora;
  return [
    ...files.map((file): [string, Corpus] => [file.split('/').at(-1) ?? '', read(file)]),
    ...tiny.map((corpus, i): [string, Corpus] => [`tiny ${i}`, corpus]),
  ];
}

describe.each(corpora())('the Java program on %s', (_, { items, corpus }) => {
  it.each(settings)('%s', (_name, meteor, statisticsKey, scoreKey) => {
    const wrong: unknown[] = [];
    for (const { id, ptb, coco } of items) {
      const statistics = meteor.statistics(ptb.candidate, ptb.references);
      const expected = `${coco[statisticsKey]}`.split(' ').map(Number);
      const error = Math.abs(meteor.score(statistics) - Number(coco[scoreKey]));
      if (expected.some((value, i) => value !== statistics[i]) || !(error < 1e-12))
        wrong.push({ id, expected, got: [...statistics] });
    }
    expect(wrong).toEqual([]);
    const sums = sumOf(
      meteor,
      items.map(({ ptb }) => [ptb.candidate, ptb.references]),
    );
    expect(meteor.score(sums)).toBeCloseTo(corpus.coco[scoreKey] ?? Number.NaN, 12);
  });
});

it('agrees with values that users of the Java program published', () => {
  const { items } = read(join(folder, 'meteor_published_realjar.json'));
  expect(items.length).toBeGreaterThan(5);
  for (const { refs, hyps, METEOR, without_table } of items) {
    const published = without_table ?? METEOR;
    const digits = Math.min(12, `${published}`.split('.')[1]?.length ?? 0);
    const pairs = hyps.map((hyp: string, i: number): [string, string[]] => [hyp, refs[i]]);
    expect(meteorScore(sumOf(plain, pairs))).toBeCloseTo(published, digits);
  }
});

// What the jar printed for these lines.
describe('normalisation', () => {
  it.each([
    ["don't", "don 't"],
    ["the dog 's tail", "the dog ' s tail"],
    ['u.s.', 'us'],
    ['U.S.-based', 'US based'],
    ['a.b.c.-d.e.', 'abc de'],
    ['Mr. Smith.', 'Mr. Smith .'],
    ['mr.', 'mr .'],
    ['dog. cat', 'dog. cat'],
    ['No. 5', 'No. 5'],
    ['no. 5', 'no . 5'],
    ['1,000', '1,000'],
    ['1,a', '1 , a'],
    [',,,,x', ', ,, , x'],
    ['hello....world', 'hello .... world'],
    ['a---b', 'a--b'],
    ['a\u2013b', 'a - b'],
    ['\u201cx\u201d', '" x "'],
    ["''''' ", '" " \''],
    ['-lrb- x -rrb-', '-lrb- x -rrb-'],
    ['\u4e2d\u6587', '\u4e2d \u6587'],
    ['na\u00efve', 'na\u00efve'],
    ['.\u00a0d', '. d'],
    ['\u0001a\u001f', 'a'],
    ['..-s', '.. -s'],
  ])('%j', (line, expected) => {
    expect(normalizeLine(line)).toBe(expected);
  });
});

// Alignments that follow from the reference's peculiarities, seen from the jar: chunks, words matched in both.
describe('peculiarities of the aligner', () => {
  const paired = (lines: string) => createMeteor(data, parseParaphraseTable(lines));
  const seen = (meteor: Meteor, candidate: string, reference: string) =>
    [...meteor.statistics(candidate, [reference])].slice(20);

  it('leaves out a word with two equal matches unless it closes a gap', () => {
    expect(seen(plain, 'car automobile', 'auto')).toEqual([0, 0, 0]);
    expect(seen(plain, 'xx car automobile', 'xx auto')).toEqual([1, 2, 2]);
    const twice = paired('.4\nb\nc\n.4\nc\nb\n');
    expect(seen(twice, 'b', 'c')).toEqual([0, 0, 0]);
    expect(seen(twice, 'xx b yy', 'xx c yy')).toEqual([1, 3, 3]);
    expect(seen(paired('.4\nb\nc\n'), 'c', 'b')).toEqual([1, 1, 1]);
  });

  it('burdens later paths with the distance of earlier ones', () => {
    const meteor = paired('.1\ngg hh\nhh ii\n');
    expect(seen(meteor, 'gg hh', 'hh ii')).toEqual([1, 1, 1]);
    expect(seen(meteor, 'gg hh', 'kk hh ii')).toEqual([1, 2, 2]);
  });
});

describe('any text', () => {
  const words = fc
    .array(fc.constantFrom('a', 'the', 'dog', 'dogs', 'big', 'large', 'x', 'ran', 'runs', '.'), {
      maxLength: 12,
    })
    .map((list) => list.join(' '));

  it('scores 1 against itself and between 0 and 1 against others', () => {
    fc.assert(
      fc.property(words, words, (candidate, reference) => {
        const own = plain.score(plain.statistics(candidate, [candidate]));
        expect(own).toBeCloseTo(candidate === '' ? 0 : 1, 12);
        const score = plain.score(plain.statistics(candidate, [reference]));
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });

  it('gives the same whatever was scored before', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(words, words), { maxLength: 6 }), (pairs) => {
        const used = createMeteor(data, table);
        for (const [candidate, reference] of pairs) {
          const fresh = createMeteor(data, table).statistics(candidate, [reference]);
          expect(used.statistics(candidate, [reference])).toEqual(fresh);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('takes the first of the best references', () => {
    const statistics = plain.statistics('a dog', ['cat', 'a dog runs', 'runs a dog', 'a dog runs']);
    expect(statistics).toEqual(plain.statistics('a dog', ['a dog runs']));
    expect(plain.statistics('a dog', [])).toEqual(plain.statistics('a dog', ['']));
  });

  it('scores captions of 100,000 characters', () => {
    const long = 'a dog runs on the grass '.repeat(4200);
    const statistics = plain.statistics(long, ['a dog runs on the grass', 'the dog']);
    expect([...statistics].slice(0, 2)).toEqual([25_200, 6]);
    expect([...statistics].slice(20)).toEqual([1, 6, 6]);
    expect(plain.statistics('x'.repeat(100_000), ['a dog'])[0]).toBe(1);
  });
});

it('is a summable metric over the tokenized captions', () => {
  const metric = createMeteorMetric(data);
  const out = new Float64Array(25);
  const tokenized = { candidate: 'a dog', references: ['a dog'] };
  metric.statistics({ candidate: '', references: [], tokenized }, out, 2);
  // A caption whose words all match in one chunk adds no chunk.
  expect([...out]).toEqual([0, 0, 2, 2, 1, 1, 1, 1, 1, 1, ...Array(14).fill(0), 2].with(23, 2));
  expect(metric.scores(out.subarray(2), 1)).toEqual([1]);
});

describe('data', () => {
  it('gives synsets by number, of the word and its base form', () => {
    const shares = (a: string, b: string) => {
      const set = new Set(data.synsets(a));
      return data.synsets(b).some((id) => set.has(id));
    };
    expect(shares('car', 'automobiles')).toBe(true);
    expect(shares('ran', 'run')).toBe(true);
    expect(shares('dog', 'car')).toBe(false);
    expect(data.synsets('qwertz').length).toBe(0);
    // METEOR numbers `'hood` by its byte offset.
    expect([...data.synsets("'hood")]).toEqual([8641944]);
  });

  it('refuses other bytes', () => {
    expect(() => decodeMeteorData(new Uint8Array(100))).toThrow(/not the METEOR data/);
    const bytes = gunzipSync(readFileSync(join(fixtures, '../../data/meteor-en.bin.gz')));
    expect(() => decodeMeteorData(bytes.subarray(0, 50_000))).toThrow(/too early/);
  });

  it('reads a paraphrase table from a file as from text', async () => {
    const loaded = await loadParaphraseTable(tablePath);
    expect(loaded).toEqual(table);
    expect(loaded.size).toBe(73);
  });

  it('names the file and the line of a bad table', async () => {
    expect(() => parseParaphraseTable('.1\na\nb\nc\n')).toThrow(/line 4: "c" is not a probability/);
    expect(() => parseParaphraseTable('.1\na\n')).toThrow(/ends after line 2/);
    await expect(loadParaphraseTable('/no/such/table.gz')).rejects.toThrow(
      /^\/no\/such\/table.gz: no such file/,
    );
    await expect(loadParaphraseTable(join(folder, 'stems.json'))).rejects.toThrow(
      /stems.json: line 1/,
    );
    const cut = join(mkdtempSync(join(tmpdir(), 'refcap-table-')), 'cut.gz');
    const whole = readFileSync(tablePath);
    writeFileSync(cut, whole.subarray(0, whole.length - 40));
    await expect(loadParaphraseTable(cut)).rejects.toThrow(
      'cut.gz: the gzipped file ends too early',
    );
  });
});
