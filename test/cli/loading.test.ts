/** What a command loads: what the run at hand needs, and nothing else, for each file costs its start half a millisecond. */
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { temporaryFolder, write } from '../data/caption-files.ts';
import { loadedFiles } from './loaded-files.ts';

const folder = temporaryFolder();
const candidates = write(folder, 'c.json', '{"1.jpg": "a dog runs", "2.jpg": "a cat sleeps"}');
const references = write(folder, 'r.json', '{"1.jpg": ["a dog ran"], "2.jpg": ["the cat sleeps"]}');

/** Packages that the command line stands on. */
const always = ['@commander-js/extra-typings', 'commander'];

describe('refcap score', () => {
  const wanted = {
    'metrics/bootstrap.js': ['--bootstrap', '10'],
    'score/per-image.js': ['--per-image', `${folder}/images.jsonl`],
    'score/pool.js': ['--workers', '1'],
  };

  it('loads no package for captions in JSON, and only the rooms that it goes through', () => {
    const { files, packages } = loadedFiles('score', candidates, '-r', references);
    expect(packages).toEqual(always);
    expect(new Set(files.map((file) => file.split('/')[0]))).toEqual(
      new Set(['base', 'cli', 'data', 'metrics', 'score']),
    );
    expect(files).toContain('metrics/bleu.js');
    const others = [...Object.keys(wanted), 'data/captions/table.js', 'score/frequencies.js'];
    expect(others.filter((file) => files.includes(file))).toEqual([]);
  });

  it('loads what an option needs with the option, and the reader of tables with a table', () => {
    const table = write(folder, 'c.csv', 'image,caption\n1.jpg,a dog runs\n2.jpg,a cat sleeps\n');
    const options = Object.values(wanted).flat();
    const { files, packages } = loadedFiles('score', table, '-r', references, ...options);
    expect(packages).toEqual([...always, 'csv-parse']);
    expect(files).toEqual(
      expect.arrayContaining([...Object.keys(wanted), 'data/captions/table.js']),
    );
  });
});

describe('refcap caption', () => {
  const photo = 'samples/two-dogs-on-grass.jpg';

  it('loads no reader of metadata, tables and patterns, no threads and no downloads for one picture', () => {
    const { files, packages } = loadedFiles('caption', photo, '--quiet');
    expect(files).toContain('caption/run.js');
    const unwanted = ['compromise', 'csv-parse', 'csv-stringify', 'saxes', 'tinyglobby', 'undici'];
    expect(unwanted.filter((name) => packages.includes(name))).toEqual([]);
    const others = [
      'base/threads/',
      'caption/executor/workers.js',
      'hub/transfer.js',
      'metadata/xmp/',
    ];
    expect(others.filter((start) => files.some((file) => file.startsWith(start)))).toEqual([]);
  });
});

describe.each(commands)('refcap $name', ({ name }) => {
  it('loads no package beside the command line to show its options', () => {
    const { files, packages } = loadedFiles(name, '--help');
    expect(packages).toEqual(always);
    expect(files.filter((file) => /^cli\/[^/]+\/run\.js$/.test(file))).toEqual([]);
    expect(files.length).toBeLessThan(40);
  });
});
