/** `refcap evaluate` as a person runs it: the same scores as caption and score one after the other. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
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
import { fixtures, repositoryRoot } from '../paths.ts';

const main = join(repositoryRoot, 'dist/cli/main.js');
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

const refcap = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' });
const json = (...path: string[]) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));
const evaluate = (...more: string[]) =>
  refcap('evaluate', tiny, '--data', 'photos', '--bootstrap', '50', ...more);

describe('refcap evaluate', { timeout: 60_000 }, () => {
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
    const { metrics, intervals, singleReference, data, decoding, throughput } =
      json('run/results.json');
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
  });

  it('says what is wrong in one sentence', () => {
    const wrong: [string[], number, RegExp][] = [
      [['--split', 'train'], 1, /the train split has no image/],
      [['--keep-refiner'], 1, /there is no refinement\.safetensors/],
      [['--batch-size', '0'], 2, /--batch-size must be a whole number/],
      [['--beams', '0'], 1, /num_beams/],
    ];
    for (const [args, status, message] of wrong) {
      const result = evaluate('-o', 'x', ...args);
      expect(result.stderr).toMatch(message);
      expect([args, result.status]).toEqual([args, status]);
      expect(readdirSync(folder)).not.toContain('x');
    }
  });
});
