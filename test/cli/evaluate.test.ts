/** `refcap evaluate` as a person runs it: the same scores as caption and score one after the other. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateModel } from '../../src/evaluate/evaluate.ts';
import { fixtures } from '../paths.ts';
import { runRefcap } from './refcap.ts';

const tiny = join(fixtures, 'blip/tiny');
let folder = '';
let names: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refcap-evaluate-'));
  const photos = join(folder, 'photos');
  mkdirSync(photos);
  names = readdirSync(join(tiny, 'images'))
    .filter((name) => name.endsWith('.png'))
    .slice(0, 12);
  const rows = ['file,caption,split'];
  const references: string[] = [];
  for (const [i, name] of names.entries()) {
    copyFileSync(join(tiny, 'images', name), join(photos, name));
    for (const caption of [`a white dog runs through water ${i}`, 'a man and a woman walk']) {
      rows.push(`${name},${caption},dev`);
      references.push(JSON.stringify({ image_id: name, caption }));
    }
  }
  writeFileSync(join(photos, 'captions.csv'), `${rows.join('\n')}\n`);
  writeFileSync(join(folder, 'references.jsonl'), `${references.join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refcap = (...args: string[]) => runRefcap(args, { cwd: folder });
const json = (...path: string[]) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));
const evaluate = (...more: string[]) =>
  refcap('evaluate', tiny, '--data', 'photos', '--bootstrap', '50', ...more);

describe('refcap evaluate', () => {
  it('gives the captions and scores of caption and score, with intervals', () => {
    const run = evaluate('--beams', '2', '-o', 'run');
    expect(run.stderr).toContain('written to run');
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/CIDEr +\d/);
    expect(readdirSync(join(folder, 'run')).sort()).toEqual(['captions.jsonl', 'results.json']);
    const rows = readFileSync(join(folder, 'run/captions.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ file }) => file).sort()).toEqual([...names].sort());
    const captions = refcap('caption', '--model', tiny, '--beams', '2', 'photos', '-f', 'jsonl');
    const known = new Map(
      captions.stdout
        .trim()
        .split('\n')
        .map((line) => {
          const { file, caption } = JSON.parse(line);
          return [file.split('/').at(-1), caption];
        }),
    );
    for (const { file, caption, references } of rows) {
      expect(caption).toBe(known.get(file));
      expect(references).toHaveLength(2);
    }
    const candidates = rows.map(({ file, caption }) => JSON.stringify({ image_id: file, caption }));
    writeFileSync(join(folder, 'candidates.jsonl'), `${candidates.join('\n')}\n`);
    const per = [
      '--per-image',
      'each.jsonl',
      '--format',
      'json',
      '--bootstrap',
      '50',
      '--seed',
      '1',
    ];
    const scored = refcap('score', 'candidates.jsonl', '--references', 'references.jsonl', ...per);
    const wanted = JSON.parse(scored.stdout);
    const { metrics, intervals, singleReference, data, decoding, throughput, settings } =
      json('run/results.json');
    expect(JSON.stringify(settings)).not.toMatch(/tmp|jsonl/);
    expect(metrics).toEqual(wanted.metrics);
    expect(intervals).toEqual(wanted.intervals);
    expect(data.images).toBe(12);
    expect(decoding).toEqual({ num_beams: 2 });
    expect(throughput.imagesPerSecond).toBeGreaterThan(0);
    const [first] = readFileSync(join(folder, 'each.jsonl'), 'utf8').split('\n');
    const { image_id, system: _, caption: __, ...scores } = JSON.parse(first);
    expect(rows.find(({ file }) => file === image_id).scores).toEqual(scores);
    // The second protocol by hand: the first references alone, then the second ones.
    const means = [0, 1].map((place) => {
      const lines = readFileSync(join(folder, 'references.jsonl'), 'utf8').trim().split('\n');
      const name = `only-${place}.jsonl`;
      writeFileSync(join(folder, name), lines.filter((_, i) => i % 2 === place).join('\n'));
      const one = refcap('score', 'candidates.jsonl', '--references', name, '--format', 'json');
      return JSON.parse(one.stdout).metrics;
    });
    for (const name of ['Bleu_4', 'METEOR', 'ROUGE_L', 'CIDEr', 'rouge1'])
      expect(singleReference[name]).toBeCloseTo((means[0][name] + means[1][name]) / 2, 12);
  });

  it('gives the captions of caption at another size of the input, which the results tell', () => {
    const { status, stderr } = evaluate('--image-size', '64', '-o', 'run-64', '--bootstrap', '0');
    expect(stderr).toContain('written to run-64');
    expect(status).toBe(0);
    expect(json('run-64/results.json').decoding.imageSize).toBe(64);
    const of = (...size: string[]) =>
      refcap('caption', '--model', tiny, 'photos', '-f', 'jsonl', ...size)
        .stdout.trim()
        .split('\n')
        .map((line) => JSON.parse(line).caption)
        .sort();
    const captions = readFileSync(join(folder, 'run-64/captions.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).caption);
    expect(captions.sort()).toEqual(of('--image-size', '64'));
    expect(captions).not.toEqual(of());
  });

  it('leaves out pictures that cannot be read, be it a whole batch', () => {
    const photos = join(folder, 'hurt');
    mkdirSync(photos);
    for (const [i, name] of ['a.png', 'b.png', 'c.png'].entries()) {
      const bytes = readFileSync(join(folder, 'photos', names[i]));
      writeFileSync(join(photos, name), name === 'b.png' ? bytes.subarray(0, 60) : bytes);
    }
    writeFileSync(
      join(photos, 'captions.csv'),
      'file,caption,split\na.png,a cat,dev\nb.png,a dog,dev\nc.png,an owl,dev\n',
    );
    const run = (...more: string[]) => refcap('evaluate', tiny, '--data', 'hurt', ...more);
    const { status, stderr } = run('--batch-size', '1', '-o', 'run-hurt', '--bootstrap', '5');
    expect(stderr).toMatch(/left out: .*b\.png/);
    expect(status).toBe(0);
    expect(json('run-hurt/results.json').data.images).toBe(2);
    for (const name of ['a.png', 'c.png']) writeFileSync(join(photos, name), 'none');
    const none = run('--batch-size', '2', '-o', 'run-none');
    expect(none.stderr).toMatch(/hurt: none of the split's pictures can be read\.\n$/);
    expect(none.status).toBe(1);
  });

  it('keeps what is there, unless told to replace an evaluation', () => {
    expect(evaluate('-o', 'twice', '--limit', '3').status).toBe(0);
    const again = evaluate('-o', 'twice');
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('twice: the folder is there and not empty');
    expect(json('twice/results.json').data.images).toBe(3);
    expect(evaluate('-o', 'twice', '--overwrite').status).toBe(0);
    expect(json('twice/results.json').data.images).toBe(12);
    const other = evaluate('-o', 'photos', '--overwrite');
    expect(other.status).toBe(1);
    expect(other.stderr).toContain('not an evaluation that could be overwritten');
    expect(readdirSync(join(folder, 'photos'))).toContain('captions.csv');
    writeFileSync(join(folder, 'twice/notes.txt'), 'mine');
    expect(evaluate('-o', 'twice', '--overwrite').stderr).toContain('the folder holds notes.txt');
    expect(readFileSync(join(folder, 'twice/notes.txt'), 'utf8')).toBe('mine');
    writeFileSync(join(folder, 'file'), 'mine');
    expect(evaluate('-o', 'file', '--overwrite').stderr).toContain('file: this is a file');
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('mine');
  });

  it('leaves nothing behind when it is interrupted', async () => {
    for (const last of [1, 12]) {
      // After the first picture, and before scoring.
      const stop = new AbortController();
      const work = evaluateModel({
        model: tiny,
        data: join(folder, 'photos'),
        split: 'dev',
        output: join(folder, 'stopped'),
        overwrite: false,
        captioner: {},
        decoding: {},
        batchSize: 1,
        bootstrap: 10,
        seed: 1,
        signal: stop.signal,
        onNote: () => undefined,
        onCaptioned: (done) => {
          if (done === last) stop.abort();
        },
      });
      await expect(work).rejects.toThrow(/aborted/);
      expect(readdirSync(folder).filter((name) => name.includes('stopped'))).toEqual([]);
    }
  });

  it('says of models and data that do not fit what to do', () => {
    for (const name of ['early', 'trained', 'wordless']) mkdirSync(join(folder, name));
    for (const name of ['early', 'trained']) {
      writeFileSync(join(folder, name, 'config.json'), '{"data": {}}');
      writeFileSync(join(folder, name, 'metrics.jsonl'), '');
    }
    cpSync(tiny, join(folder, 'trained/best'), { recursive: true });
    for (const name of ['config.json', 'model.safetensors', 'preprocessor_config.json'])
      copyFileSync(join(tiny, name), join(folder, 'wordless', name));
    mkdirSync(join(folder, 'elsewhere'));
    copyFileSync(join(tiny, 'images', names[0]), join(folder, 'elsewhere', names[0]));
    writeFileSync(join(folder, 'elsewhere/captions.csv'), 'file,caption,split\nx.png,a cat,dev\n');
    const wrong: [string, string, RegExp][] = [
      ['early', 'photos', /early: this training run was interrupted before it saved a model/],
      ['trained', 'photos', /trained: this is a training run; its model is trained.best\./],
      ['wordless', 'photos', /wordless: there is neither tokenizer\.json nor vocab\.txt; add one/],
      [tiny, 'elsewhere', /elsewhere: none of 1 captioned image is in elsewhere/],
      [tiny, 'nowhere', /nowhere: there is no such dataset/],
    ];
    for (const [model, data, message] of wrong) {
      const result = refcap('evaluate', model, '--data', data, '-o', 'x');
      expect(result.stderr).toMatch(message);
      expect(result.stderr.trim().split('\n')).toHaveLength(1);
      expect([message, result.status]).toEqual([message, 1]);
      expect(readdirSync(folder)).not.toContain('x');
    }
    const best = ['trained/best', '--data', 'photos', '--limit', '1', '-o', 'of-best'];
    expect(refcap('evaluate', ...best).status).toBe(0);
  });

  it('says what is wrong in one sentence', () => {
    const wrong: [string[], number, RegExp][] = [
      [['--split', 'train'], 1, /the train split has no image/],
      [['--keep-refiner'], 1, /there is no refinement\.safetensors/],
      [['--batch-size', '0'], 2, /'--batch-size <n>' argument '0' is invalid\. must be at least 1/],
      [['--beams', '0'], 2, /'--beams <n>' argument '0' is invalid/],
      [['--bootstrap', '-5'], 2, /'--bootstrap <n>' argument '-5' is invalid\. not a whole/],
      [['--seed', '1.5'], 2, /'--seed <n>' argument '1.5' is invalid/],
    ];
    for (const [args, status, message] of wrong) {
      const result = evaluate('-o', 'x', ...args);
      expect(result.stderr).toMatch(message);
      expect([args, result.status]).toEqual([args, status]);
      expect(readdirSync(folder)).not.toContain('x');
    }
  });
});
