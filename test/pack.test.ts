/** The package as a user gets it: packed, installed into an empty folder, and run from there. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
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
import { pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
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

const packageJson = z.object({
  exports: z.record(z.string(), z.union([z.string(), z.object({ default: z.string() })])),
});

/**
 * The public entries, by the names that programs import. (What refcap/web exports is for pages: docs/browser.md has its
 * examples, which test/browser/ runs.)
 */
const entries = Object.entries(
  packageJson.parse(JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'))).exports,
).flatMap(([door, target]) => {
  const file = typeof target === 'string' ? target : target.default;
  return file.endsWith('.js') && door !== './web' ? [{ name: `refcap${door.slice(1)}`, file }] : [];
});

function readExamples(): string[] {
  const page = readFileSync(join(repositoryRoot, 'docs/library.md'), 'utf8');
  return [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, text]) => text);
}

/** The files that the examples name. */
function layOutExamples(): void {
  const samples = join(repositoryRoot, 'samples');
  cpSync(join(samples, 'dog-on-grass.jpg'), join(folder, 'photo.jpg'));
  mkdirSync(join(folder, 'site'));
  writeFileSync(join(folder, 'site/page.html'), '<img src="../photo.jpg">');
  writeFileSync(join(folder, 'captions.jsonl'), '{"image_id": "a", "caption": "a dog runs"}\n');
  writeFileSync(join(folder, 'references.jsonl'), '{"image_id": "a", "caption": "a dog runs"}\n');
  mkdirSync(join(folder, 'photos'));
  const lines = readFileSync(join(samples, 'captions.jsonl'), 'utf8').trim().split('\n');
  const split = (i: number) => ['train', 'train', 'dev', 'test'][i % 4];
  const chosen = lines.slice(0, 8).map((line, i) => ({ ...JSON.parse(line), split: split(i) }));
  for (const { file } of chosen) cpSync(join(samples, file), join(folder, 'photos', file));
  const text = chosen.map((entry) => JSON.stringify(entry)).join('\n');
  writeFileSync(join(folder, 'photos/captions.jsonl'), text);
}

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

  it('brings the page of refcap serve, with the licences of what is in it', () => {
    const page = join(folder, 'node_modules/refcap/dist/web');
    const html = readFileSync(join(page, 'index.html'), 'utf8');
    const [, script] = /src="\/(assets\/[\w.-]+\.js)"/.exec(html) ?? [];
    expect(readFileSync(join(page, script), 'utf8').length).toBeGreaterThan(10_000);
    expect(readFileSync(join(page, 'licences.txt'), 'utf8')).toContain('## preact');
  });

  it('scores captions', () => {
    writeFileSync(join(folder, 'c.jsonl'), '{"image_id": "a", "caption": "a dog runs on grass"}\n');
    writeFileSync(join(folder, 'r.jsonl'), '{"image_id": "a", "caption": "a dog runs on grass"}\n');
    const result = JSON.parse(
      refcap('score', 'c.jsonl', '--references', 'r.jsonl', '--format', 'json'),
    );
    expect(result.metrics.Bleu_1).toBeCloseTo(1, 6);
  });

  it('gives one meaning to a name in all its entries', async () => {
    const meanings = new Map<string, unknown>();
    for (const entry of entries) {
      const all = (await import(pathToFileURL(join(repositoryRoot, entry.file)).href)) as object;
      for (const [name, value] of Object.entries(all)) {
        if (meanings.has(name)) expect(meanings.get(name), `${entry.name}: ${name}`).toBe(value);
        meanings.set(name, value);
      }
    }
    expect(meanings.size).toBeGreaterThan(100);
  });

  it('is a library with its types, by the examples of docs/library.md', async () => {
    layOutExamples();
    const found = readExamples();
    const names = found.map((_, i) => `example-${i + 1}.ts`);
    for (const { name } of entries)
      expect(
        found.some((text) => text.includes(`from '${name}'`)),
        name,
      ).toBe(true);
    for (const [i, text] of found.entries()) writeFileSync(join(folder, names[i]), text);
    const types = join(repositoryRoot, 'node_modules/@types');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'];
    const lib = ['--lib', 'es2023,esnext.disposable', '--typeRoots', types, '--types', 'node'];
    const skip = ['--skipLibCheck', '--ignoreConfig'];
    const compiler = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
    const checked = spawnSync(process.execPath, [compiler, ...options, ...lib, ...skip, ...names], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(checked.stdout).toBe('');
    const outputs = found.map((text) => {
      const { code } = transformSync(text, { loader: 'ts', target: 'es2022' });
      return execFileSync(process.execPath, ['--input-type=module', '-e', code], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      }).trim();
    });
    // Where words look, and how much they depend on the picture, differs in what is near a border from run to run.
    const shown = outputs.map((output) => output.replace(/^(\S+) .* -?\d\.\d$/gm, '$1'));
    expect(shown).toMatchInlineSnapshot(`
      [
        "a white dog is running with a stick in its mouth",
        "[ 14 ] [ 2, 4, 6 ]",
        "head.weight,head.bias 1,2",
        "w f16 [ 1, 2.5 ]",
        "150528",
        "a white dog is running with a stick in its mouth",
        "a
      white
      dog
      is
      running
      with
      a
      stick
      in
      its
      mouth",
        "1.000",
        "At home: a dog
      site/page.html 1 file",
        "1.000",
        "epoch 1 of 8
      epoch 2 of 8
      run/best is a model",
        "true",
        "photo      caption
      photo.jpg  a white dog is running with a stick in its mouth",
      ]
    `);
  }, 300_000);
});
