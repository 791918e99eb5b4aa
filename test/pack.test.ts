/** The package as a user gets it: packed, installed into an empty folder, and run from there. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from './paths.ts';

let folder = '';

function npm(args: string[], cwd: string): string {
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_config_loglevel: 'error' },
  });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refcap-pack-'));
  npm(['pack', '--ignore-scripts', '--pack-destination', folder], repositoryRoot);
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  writeFileSync(
    join(folder, 'package.json'),
    '{"name": "empty", "private": true, "type": "module"}\n',
  );
  npm(
    [
      'install',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      join(folder, archive),
    ],
    folder,
  );
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function refcap(...args: string[]): string {
  return execFileSync(
    process.execPath,
    [join(folder, 'node_modules/refcap/bin/refcap.mjs'), ...args],
    {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
}

describe('the packed package', () => {
  it('captions a picture with the bundled model', () => {
    cpSync(join(repositoryRoot, 'samples/dog-on-grass.jpg'), join(folder, 'photo.jpg'));
    expect(refcap('caption', 'photo.jpg')).toMatch(/photo\.jpg.*\bdog\b/);
  });

  it('captions the photos that it brings, with a page', () => {
    expect(refcap('demo').trim().split('\n')).toHaveLength(14);
    const page = readFileSync(join(folder, 'refcap-demo.html'), 'utf8');
    expect(page.match(/<img src="data:image/g)).toHaveLength(14);
  });

  it('scores captions', () => {
    writeFileSync(join(folder, 'c.jsonl'), '{"image_id": "a", "caption": "a dog runs on grass"}\n');
    writeFileSync(join(folder, 'r.jsonl'), '{"image_id": "a", "caption": "a dog runs on grass"}\n');
    const result = JSON.parse(
      refcap('score', 'c.jsonl', '--references', 'r.jsonl', '--format', 'json'),
    );
    expect(result.metrics.Bleu_1).toBeCloseTo(1, 6);
  });

  it('is a library with its types', () => {
    const program = `
      import * as refcap from 'refcap';
      import { ops, input } from 'refcap/engine';
      import { createMeteor } from 'refcap/metrics';
      import { ParameterStore } from 'refcap/nn';
      import { loadMeteorData } from 'refcap/score';
      const x = input('x', 'f32', ['n']);
      console.log(Object.keys(refcap).includes('Captioner'), ops.add(x, 1).shape.join());
      const store = new ParameterStore([{ name: 'w', shape: [2], initializer: { kind: 'ones' } }]);
      console.log([...refcap.storeWeights(store).keys()].join());
      const meteor = createMeteor(loadMeteorData());
      console.log(meteor.score(meteor.statistics('a dog runs', ['a dog runs'])));
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(output.trim()).toBe('true n\nw\n1');
    expect(readdirSync(join(folder, 'node_modules/refcap/dist'))).toContain('index.d.ts');
  });
});
