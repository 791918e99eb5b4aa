/**
 * Every file of src/ has its test: of the same name in the same folder of test/, or the one that test/mirror-table.ts
 * names. Types alone need none, nor do the entries of rooms.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { coveredBy } from './mirror-table.ts';
import { repositoryRoot } from './paths.ts';

/** Files without a test, and why. */
const without: Readonly<Record<string, string>> = {
  'engine/runtime/back-end/web.ts':
    'stands in for node.ts in bundles: test/browser/ runs it in Chromium',
  'metrics/meteor/pack.ts':
    'made the packed data once; that they are read as WordNet has them is tested',
};

const isEntry = (file: string): boolean => /(^|\/)(index|browser)\.ts$/.test(file);
const at = (...parts: readonly string[]): string => join(repositoryRoot, ...parts);
const read = (path: string): string => readFileSync(at(path), 'utf8');

const sources = readdirSync(at('src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);
const covered = new Map(
  Object.entries(coveredBy).flatMap(([test, files]) => files.map((file) => [file, test])),
);

const hasOwnTest = (file: string): boolean =>
  existsSync(at('test', file.replace(/\.ts$/, '.test.ts')));

function isTypesAlone(file: string): boolean {
  const { code } = transformSync(read(`src/${file}`), { loader: 'ts' });
  return code.replaceAll(/export \{\s*\};?|import "[^"]*";/g, '').trim() === '';
}

const importsOf = new Map<string, string[]>();

/** The files that a file imports or names, as it does worker threads; tests that run the built command name it. */
function named(file: string): string[] {
  const known = importsOf.get(file);
  if (known) return known;
  const text = read(file);
  const found = [...text.matchAll(/'(\.{1,2}\/[^'\n]+)\.[tj]s'/g)]
    .map(([, path]) => `${join(dirname(file), path)}.ts`.replace(/^dist\//, 'src/'))
    .filter((path) => existsSync(at(path)));
  if (text.includes('dist/cli/main.js')) found.push('src/cli/main.ts');
  importsOf.set(file, found);
  return found;
}

/** Everything that a file reaches. */
function reached(file: string): Set<string> {
  const seen = new Set([file]);
  for (const one of seen) for (const next of named(one)) seen.add(next);
  return seen;
}

describe('the files of src/', () => {
  it('have a test each', () => {
    const untested = sources.filter(
      (file) =>
        !isEntry(file) &&
        !(file in without) &&
        !hasOwnTest(file) &&
        !covered.has(file) &&
        !isTypesAlone(file),
    );
    expect(untested).toEqual([]);
  });

  it('are listed only while they are there and have no test of their own', () => {
    const listed = [...covered.keys(), ...Object.keys(without)];
    expect(listed.filter((file) => !sources.includes(file) || hasOwnTest(file))).toEqual([]);
  });
});

describe.each(Object.entries(coveredBy))('%s', (test, files) => {
  it('reaches what it stands for', () => {
    const all = reached(`test/${test}`);
    expect(files.filter((file) => !all.has(`src/${file}`))).toEqual([]);
  });
});
