/** `refcap calibrate`, and what `refcap caption` then does with the confidence. */
import {
  copyFileSync,
  cpSync,
  existsSync,
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
import { fixtures } from '../paths.ts';
import { runRefcap } from './refcap.ts';

const tiny = join(fixtures, 'blip/tiny');
/** Pictures that the tiny model has words for. */
const spokenOf =
  /^(?:astronaut-1|beach-with-kites-1|bird-on-branch-0|couple|dog-running-in-water-1|hot-dog|owl-1|parrot-0|rocket|squat)/;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refcap-calibrate-'));
  cpSync(tiny, join(folder, 'model'), { recursive: true });
  mkdirSync(join(folder, 'photos'));
  const names = readdirSync(join(tiny, 'images')).filter((name) => spokenOf.test(name));
  const rows = ['file,caption,split'];
  // As many as are asked for, the same pictures again and again.
  for (let i = 0; i < 120; i++) {
    const file = `${i}.png`;
    copyFileSync(join(tiny, 'images', names[i % names.length]), join(folder, 'photos', file));
    rows.push(`${file},${i % 3 === 0 ? 'two dogs and a cat' : 'an owl on a branch'},dev`);
  }
  for (const file of ['a.png', 'b.png']) {
    copyFileSync(join(tiny, 'images', names[0]), join(folder, 'photos', file));
    rows.push(`${file},an owl on a branch,train`);
  }
  writeFileSync(join(folder, 'photos/captions.csv'), `${rows.join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refcap = (...args: string[]) => runRefcap(args, { cwd: folder });
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const config = () => JSON.parse(read('model/config.json'));

describe('refcap calibrate', () => {
  it('says what is too little, and leaves the model as it was', () => {
    const before = read('model/config.json');
    const few = refcap('calibrate', 'model', '--data', 'photos', '--limit', '20');
    expect(few.stderr).toContain('photos: 20 pictures are too few to calibrate a confidence on');
    expect(few.status).toBe(1);
    expect(read('model/config.json')).toBe(before);
    const alone = refcap('calibrate', 'model', '--data', 'photos', '--folds', '1');
    expect(alone.stderr).toContain("argument '1' is invalid. must be at least 2: each part is");
    expect(alone.status).toBe(2);
    const doubt = refcap(
      'caption',
      'photos',
      '-m',
      'model',
      '--min-confidence',
      '0.5',
      '-o',
      'a.txt',
    );
    expect(doubt.stderr).toContain('--min-confidence: model has no confidence; refcap calibrate');
    expect(doubt.status).toBe(2);
    expect(existsSync(join(folder, 'a.txt'))).toBe(false);
  });

  it('writes the confidence into config.json, and draws it', () => {
    const before = config();
    // One of other evidence is no reason to refuse: it is what is written anew.
    const stale = { weights: { noun: 1, caption: 1, concept: 1 }, shift: 0 };
    const text = JSON.stringify({ ...before, confidence_config: stale });
    writeFileSync(join(folder, 'model/config.json'), text);
    const refused = refcap('caption', 'photos', '-m', 'model');
    expect(refused.stderr).toContain('"concept"; refcap calibrate writes it anew.');
    expect(refused.status).toBe(1);
    // Nor to training further, which changes the weights.
    const further = [
      'train',
      '--data',
      'photos',
      '-m',
      'model',
      '-o',
      'further',
      '--max-steps',
      '1',
    ];
    const trained = refcap(...further, '--batch-size', '2', '--set', 'validationImages=2');
    expect(trained.stderr).toContain('calibrating the confidence on the dev images');
    expect(trained.status).toBe(0);
    const args = ['calibrate', 'model', '--data', 'photos', '--data', 'photos', '--plot', 'a.svg'];
    const run = refcap(...args);
    expect(run.stderr).toContain('the confidence is written into the config.json of model');
    expect(run.stdout).toMatch(/^source +pictures +right +calibration error/);
    expect(run.stdout).toMatch(/\nphotos \(2\) +1\d\d /);
    expect(run.status).toBe(0);
    const { confidence_config: confidence, ...others } = config();
    expect(others).toEqual(before);
    expect(Object.keys(confidence.weights)).toEqual(['noun', 'caption']);
    expect(confidence.reliability.sources.length).toBe(2);
    expect(read('a.svg')).toContain('</svg>');
    expect(JSON.parse(refcap(...args.slice(0, -2), '--format', 'json').stdout)).toEqual(confidence);
  });

  it('lets caption leave doubtful pictures out, and list them', () => {
    const caption = (...more: string[]) =>
      refcap('caption', 'photos', '-m', 'model', '-f', 'jsonl', ...more);
    const rows = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    const all = rows(caption('-q').stdout);
    expect(all.length).toBe(122);
    const limit = [...all].sort((a, b) => a.confidence - b.confidence)[60].confidence;
    const kept = all.filter(({ confidence }) => confidence >= limit);
    const run = caption('-o', 'some.jsonl', '--min-confidence', String(limit));
    expect(rows(read('some.jsonl')).map(({ file }) => file)).toEqual(kept.map(({ file }) => file));
    const left = 122 - kept.length;
    expect(run.stderr).toContain(`${kept.length} captioned, ${left} doubtful in`);
    expect(run.stderr).toContain(
      `refcap: ${left} doubtful pictures, below a confidence of ${limit}, left out:`,
    );
    const listed = run.stderr
      .split('\n')
      .filter((line) => /^refcap: {3}photos\/\d+\.png\t0\.\d\d\t/.test(line));
    expect(listed.length).toBe(left);
    expect(run.status).toBe(0);
    // What was left out is looked at again: with a lower limit the rest comes.
    const rest = caption('-o', 'some.jsonl', '--resume', '--min-confidence', '0');
    expect(rest.status).toBe(0);
    expect(new Set(rows(read('some.jsonl')).map(({ file }) => file)).size).toBe(122);
  });

  it('is what train does at its end, and what it takes from a model that it trains further', () => {
    const args = ['train', '--data', 'photos', '-m', 'model', '-o', 'run', '--max-steps', '1'];
    const run = refcap(...args, '--batch-size', '2', '--set', 'validationImages=2');
    expect(run.stderr).toContain('calibrating the confidence on the dev images');
    expect(run.stderr).toMatch(/calibration error 0\.\d{3}\./);
    expect(run.status).toBe(0);
    const of = (name: string) => JSON.parse(read(`run/${name}/config.json`)).confidence_config;
    expect(of('best').reliability.all.images).toBeGreaterThan(99);
    expect(of('best')).not.toEqual(config().confidence_config);
    expect(of('last')).toBeUndefined();
    const again = refcap(...args, '--batch-size', '2', '--resume', '--set', 'validationImages=2');
    expect(again.stderr).not.toContain('calibrating');
    expect(again.status).toBe(0);
  });

  it('has concepts told only to models that have some', () => {
    writeFileSync(join(folder, 'names.txt'), 'owl\n');
    const run = refcap('caption', 'photos/1.png', '-m', 'model', '--concepts', 'names.txt');
    expect(run.stderr).toContain('model: this model has no concepts that it could be told');
    expect(run.status).toBe(1);
    const none = refcap('caption', 'photos/1.png', '-m', 'model', '--concepts', 'none.txt');
    expect(none.stderr).toContain('none.txt: there is no such file of concepts.');
  });
});
