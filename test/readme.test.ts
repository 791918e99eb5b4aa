/** The README keeps its word: the two commands stand at the top, and the demo prints what it shows. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './paths.ts';

const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');

/** The columns of a line. */
const cells = (line: string) => line.split(/\t| {2,}/);

describe('README', () => {
  it('holds the two commands within its first 20 lines', () => {
    const top = readme.split('\n').slice(0, 20);
    expect(top.some((line) => line.startsWith('npm run demo'))).toBe(true);
    expect(top.some((line) => line.startsWith('npm test'))).toBe(true);
  });

  it('shows what the demo prints', () => {
    const output = execFileSync('npm', ['run', '--silent', 'demo'], {
      cwd: repositoryRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const rows = output.trim().split('\n').map(cells);
    const photos = readdirSync(join(repositoryRoot, 'samples')).filter((name) =>
      name.endsWith('.jpg'),
    );
    expect(rows.map(([file]) => file)).toEqual(photos.sort());
    const shown = readme.split('\n').map(cells);
    const ours = shown.filter(([file]) => photos.includes(file.replace(/^samples\//, '')));
    expect(ours.length).toBeGreaterThan(2);
    for (const [file, ...texts] of ours) {
      const row = rows.find(([name]) => file.replace(/^samples\//, '') === name);
      expect(row).toEqual(expect.arrayContaining(texts));
    }
  });

  it('links to files that exist', () => {
    for (const page of [
      'README.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
      'THIRD_PARTY.md',
      'models/refcap-small/README.md',
      'notebooks/README.md',
      ...readdirSync(join(repositoryRoot, 'docs'))
        .filter((name) => name.endsWith('.md'))
        .map((name) => `docs/${name}`),
    ]) {
      // What stands in code is no link of the page.
      const text = readFileSync(join(repositoryRoot, page), 'utf8').replace(
        /```[\s\S]*?```|`[^`\n]*`/g,
        '',
      );
      for (const [, target] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
        expect(existsSync(join(repositoryRoot, page, '..', target)), `${page}: ${target}`).toBe(
          true,
        );
    }
  });
});
