/** `refcap score` as a stranger runs it: the built command, files in every format, exit codes. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Item,
  metricFixture,
  plainCandidateFormats,
  plainReferenceFormats,
  temporaryFolder,
  write,
} from '../data/caption-files.ts';
import { fixtures, shared } from '../paths.ts';
import { main, runRefcap } from './refcap.ts';

interface Fixture {
  items: Item[];
  corpus: {
    coco: Record<string, number>;
    rouge_score: Record<string, Record<string, { max_f: number; mean_f: number }>>;
    sacrebleu_corpus: { score: number };
    diversity_ptb_tokens: Record<string, number>;
  };
}

const folder = temporaryFolder();
const file = (name: string, content: string) => write(folder, name, content);

function score(...args: string[]) {
  return runRefcap(['score', ...args], { cwd: folder });
}

const coco = metricFixture<Fixture>('coco_fakecap1000.json');
file('c.json', plainCandidateFormats['results.json'](coco.items));
file('r.json', plainReferenceFormats['coco.json'](coco.items));
file('small.csv', 'image,caption\n1,a dog runs\n2,a cat sleeps\n');
file('other.csv', 'image,caption\n1,the dog\n2,a cat sleeps here\n');
file('refs.csv', 'image,caption\n1,a dog runs\n1,the dog runs\n2,a cat sleeps\n');

/** The scores of a fixture by the names that the command prints. */
function expectedOf({ corpus }: Fixture): Record<string, number> {
  const { CIDEr_plain_noClip_noLen, METEOR_exact_stem_synonym, ...rest } = corpus.coco;
  const { nostem, stem } = corpus.rouge_score;
  const variety = corpus.diversity_ptb_tokens;
  const expected: Record<string, number> = {
    Bleu_1: rest.Bleu_1,
    Bleu_2: rest.Bleu_2,
    Bleu_3: rest.Bleu_3,
    Bleu_4: rest.Bleu_4,
    METEOR: METEOR_exact_stem_synonym,
    ROUGE_L: rest.ROUGE_L,
    CIDEr: rest.CIDEr,
    CIDEr_plain: CIDEr_plain_noClip_noLen,
    sacreBLEU: corpus.sacrebleu_corpus.score,
    distinct_1: variety.distinct_1,
    distinct_4: variety.distinct_4,
    vocabulary: variety.vocab,
    mean_length: variety.mean_len,
    unique: variety.unique_captions,
  };
  for (const type of ['rouge1', 'rouge2', 'rougeL']) {
    expected[type] = nostem[type].max_f;
    expected[`${type}_mean`] = nostem[type].mean_f;
    expected[`${type}_stem`] = stem[type].max_f;
    expected[`${type}_stem_mean`] = stem[type].mean_f;
  }
  return expected;
}

function expectScores(stdout: string, expected: Record<string, number>): void {
  const { metrics } = JSON.parse(stdout) as { metrics: Record<string, number> };
  for (const [name, value] of Object.entries(expected))
    expect(Math.abs(metrics[name] - value), name).toBeLessThan(1e-6);
}

describe('refcap score', () => {
  it('gives the reference programs’ scores, as one JSON object', () => {
    const { status, stdout, stderr } = score(
      'c.json',
      '-r',
      'r.json',
      '-f',
      'json',
      '--metrics',
      'all',
      '--tokenized-references',
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expectScores(stdout, expectedOf(coco));
    const report = JSON.parse(stdout) as { n: number; settings: { METEOR: unknown } };
    expect(Object.keys(report)).toEqual(['n', 'metrics', 'settings']);
    expect(report.n).toBe(1000);
    expect(report.settings.METEOR).toMatchObject({ paraphrase_table: null });
  });

  it.skipIf(!shared)('gives them for Flickr8k in all formats', () => {
    const path = join(shared ?? '', 'fixtures/metrics/flickr8k_dev1000.json');
    const flickr = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
    const candidates = Object.entries(plainCandidateFormats);
    for (const [i, [name, content]] of Object.entries(plainReferenceFormats).entries()) {
      const [candidateName, candidateContent] = candidates[i % candidates.length];
      const split = name.includes('karpathy') ? ['--split', 'test'] : [];
      const { status, stdout } = score(
        file(`flickr-${candidateName}`, candidateContent(flickr.items)),
        '--references',
        file(`flickr-${name}`, content(flickr.items)),
        '--format',
        'json',
        '--metrics',
        'bleu,cider,rouge-l',
        ...split,
      );
      expect(status, name).toBe(0);
      const { Bleu_4, CIDEr, ROUGE_L } = expectedOf(flickr);
      expectScores(stdout, { Bleu_4, CIDEr, ROUGE_L });
    }
  });

  it('says in the heading that METEOR lacks its paraphrases, and takes a table', () => {
    const table = join(fixtures, 'metrics/synthetic-paraphrase-en.gz');
    expect(score('c.json', '-r', 'r.json', '-m', 'meteor').stdout).toMatch(
      /^METEOR \(no paraphrases\) +0\.1897$/m,
    );
    const { stdout } = score(
      'c.json',
      '-r',
      'r.json',
      '-m',
      'meteor',
      '--meteor-paraphrases',
      table,
      '--tokenized-references',
    );
    expect(stdout).toMatch(/^METEOR +0\.1907$/m);
    const wrong = score('c.json', '-r', 'r.json', '-m', 'meteor', '--meteor-paraphrases', 'c.json');
    expect(wrong).toMatchObject({ status: 1, stdout: '' });
    expect(wrong.stderr).toMatch(/c\.json: line 1: .* is not a probability/);
  });

  it('compares systems: the same numbers for the same seed', () => {
    const run = (...more: string[]) =>
      score(
        'small.csv',
        'other.csv',
        '-r',
        'refs.csv',
        '-m',
        'bleu',
        '-f',
        'json',
        '--bootstrap',
        '200',
        ...more,
      );
    const reports = JSON.parse(run().stdout) as {
      system: string;
      metrics: Record<string, number>;
      intervals: Record<string, { low: number; high: number }>;
      comparison?: {
        baseline: string;
        differences: Record<string, { difference: number; p_value: number }>;
      };
    }[];
    expect(reports.map(({ system }) => system)).toEqual(['small.csv', 'other.csv']);
    const [first, second] = reports;
    expect(second.comparison?.baseline).toBe('small.csv');
    expect(second.comparison?.differences.Bleu_1.difference).toBeCloseTo(
      second.metrics.Bleu_1 - first.metrics.Bleu_1,
      12,
    );
    expect(first.intervals.Bleu_1.low).toBeLessThanOrEqual(first.metrics.Bleu_1);
    expect(run().stdout).toBe(run('--workers', '2').stdout);
    expect(run().stdout).not.toBe(run('--seed', '5').stdout);
  });

  it('writes per-image scores, the report and document frequencies to files', () => {
    const { status, stdout } = score(
      'small.csv',
      '-r',
      'refs.csv',
      '-m',
      'Bleu_1,CIDEr',
      '-f',
      'csv',
      '-o',
      'report.csv',
      '--per-image',
      'images.jsonl',
      '--save-document-frequencies',
      'df.json',
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(readFileSync(join(folder, 'report.csv'), 'utf8')).toMatch(/^small\.csv,2,Bleu_1,0\.99/m);
    const lines = readFileSync(join(folder, 'images.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      {
        image_id: '1',
        system: 'small.csv',
        caption: 'a dog runs',
        Bleu_1: expect.closeTo(1, 6),
        CIDEr: expect.any(Number),
      },
      {
        image_id: '2',
        system: 'small.csv',
        caption: 'a cat sleeps',
        Bleu_1: expect.closeTo(1, 6),
        CIDEr: expect.any(Number),
      },
    ]);
    const own = score('small.csv', '-r', 'refs.csv', '-m', 'cider').stdout;
    expect(
      score('small.csv', '-r', 'refs.csv', '-m', 'cider', '--document-frequencies', 'df.json')
        .stdout,
    ).toBe(own);
    const wrong = score('small.csv', '-r', 'refs.csv', '--document-frequencies', 'refs.csv');
    expect(wrong.stderr).toMatch(
      /refs\.csv: this is not JSON; it should be written by refcap score/,
    );
  });

  it('scores what is there with --allow-missing and says how much is not', () => {
    file('part.csv', 'image,caption\n2,a cat sleeps\n3,a bird\n');
    const refused = score('part.csv', '-r', 'refs.csv', '--per-image', 'never.csv');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /^refcap: part\.csv: 1 image without a reference in refs\.csv \(3\).*--allow-missing\.\n$/,
    );
    expect(existsSync(join(folder, 'never.csv'))).toBe(false);
    const scored = score(
      'part.csv',
      '-r',
      'refs.csv',
      '--allow-missing',
      '-f',
      'json',
      '-m',
      'bleu',
    );
    expect(scored.status).toBe(0);
    expect(JSON.parse(scored.stdout)).toMatchObject({ n: 1 });
    expect(scored.stderr).toMatch(/part\.csv: 1 image without a reference in refs\.csv, left out/);
    expect(scored.stderr).toMatch(/refs\.csv: 1 image without a caption in part\.csv, left out/);
  });

  it('scores empty, odd and huge captions with a warning', () => {
    file('odd.csv', `image,caption\n1,\n2,a\u0001 cat ${'sleeps '.repeat(14_500)}\n`);
    const { status, stderr, stdout } = score('odd.csv', '-r', 'refs.csv', '-f', 'json');
    expect(status).toBe(0);
    expect(stderr).toMatch(/odd\.csv: 1 caption is empty \(first: image 1\)/);
    expect(stderr).toMatch(/odd\.csv: 1 caption holds control characters \(first: image 2\)/);
    expect(stderr).toMatch(/odd\.csv: 1 caption is very long \(first: image 2\)/);
    for (const value of Object.values((JSON.parse(stdout) as { metrics: object }).metrics))
      expect(value).toSatisfy(Number.isFinite);
  });

  it.each([
    [['small.csv'], /required option '-r, --references <file>'/],
    [['-r', 'refs.csv'], /missing required argument/],
    [['small.csv', '-r', 'refs.csv', '-m', 'spice'], /no metric "spice"/],
    [['small.csv', '-r', 'refs.csv', '--bootstrap', '-1'], /whole number of at least 0/],
    [['small.csv', '-r', 'refs.csv', '--confidence', '95'], /between 0 and 1/],
    [
      ['small.csv', '-r', 'refs.csv', '--format', 'xml'],
      /Allowed choices are table, json, csv, markdown/,
    ],
    [['small.csv', '-r', 'refs.csv', '--per-image', 'x.txt'], /\.jsonl or \.csv/],
    [['-', '-r', '-'], /standard input/],
    [
      ['small.csv', '-r', 'refs.csv', '-m', 'bleu', '--save-document-frequencies', 'never.json'],
      /--save-document-frequencies is for cider, which --metrics leaves out/,
    ],
    [
      ['small.csv', '-r', 'refs.csv', '-m', 'bleu', '--meteor-paraphrases', 'nowhere.gz'],
      /--meteor-paraphrases is for meteor/,
    ],
    [
      ['small.csv', '-r', 'refs.csv', '-m', 'bleu', '--training-captions', 'refs.csv'],
      /--training-captions is for diversity/,
    ],
  ])('refuses %j as wrong usage', (args, message) => {
    const { status, stdout, stderr } = score(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('finds before any work that a report cannot be written', () => {
    mkdirSync(join(folder, 'results.csv'));
    for (const option of ['--output', '--per-image', '--save-document-frequencies']) {
      const { status, stdout, stderr } = score(
        'small.csv',
        '-r',
        'refs.csv',
        option,
        'results.csv',
      );
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toBe('refcap: results.csv: this is a folder; name a file.\n');
    }
    expect(score('small.csv', '-r', 'refs.csv', '-o', 'none/x.csv').stderr).toMatch(
      /none\/x\.csv: the folder does not exist/,
    );
  });

  it('reads the standard input', () => {
    const { stdout } = runRefcap(['score', '-', '-r', 'refs.csv', '-m', 'bleu', '-f', 'csv'], {
      cwd: folder,
      input: readFileSync(join(folder, 'small.csv'), 'utf8'),
    });
    expect(stdout).toMatch(/Bleu_1,0\.99/);
  });

  it('stops at Ctrl-C with 130 and leaves nothing behind', async () => {
    file('blank.csv', 'image,caption\n1,\n2,a cat\n');
    const args = ['blank.csv', '-r', 'refs.csv', '-m', 'bleu', '--bootstrap', '1000000000'];
    const child = spawn(
      process.execPath,
      [main, 'score', ...args, '--per-image', 'never.csv', '-o', 'never.txt'],
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    // The warning of the empty caption comes right before the bootstrap, which would take hours.
    await new Promise((resolve) => child.stderr.once('data', resolve));
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect({ code, output }).toEqual({ code: 130, output: '' });
    expect(readdirSync(folder).filter((name) => /never|tmp$/.test(name))).toEqual([]);
  });
});
