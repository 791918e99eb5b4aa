/** What the documents point at is there: files that they name, pages that they link. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './paths.ts';

const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'THIRD_PARTY.md', 'models/refcap-small/README.md'],
  ...readdirSync(join(repositoryRoot, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** What a page tells the reader to make, and rooms that are to come. */
const absent =
  /^(?:src\/)?(?:model\/towers\/(?:swin|NAME)|video\/|server\/|explain\/|cli\/(?:serve|explain)\.ts)/;

const rooms = readdirSync(join(repositoryRoot, 'src'));
const roots = ['src', 'test', 'scripts', 'docs', 'bench', 'verify', 'recipes', 'samples'];
const named = new RegExp(`\`((?:${[...roots, ...rooms].join('|')})/[\\w./-]+)\``, 'g');

/** Paths from the root that a page names in code, or links. */
function pathsOf(page: string): string[] {
  const text = readFileSync(join(repositoryRoot, page), 'utf8');
  const inCode = [...text.matchAll(named)].map(([, path]) => path);
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path]) =>
    join(dirname(page), path),
  );
  return [...inCode, ...links];
}

const isThere = (path: string): boolean =>
  existsSync(join(repositoryRoot, path)) || existsSync(join(repositoryRoot, 'src', path));

describe('documents', () => {
  it.each(pages)('%s names files that are there', (page) => {
    const missing = pathsOf(page).filter((path) => !absent.test(path) && !isThere(path));
    expect(missing).toEqual([]);
  });

  it('are found to name files', () => {
    expect(pathsOf('docs/architecture.md').length).toBeGreaterThan(20);
    expect(isThere('src/blip/model.ts')).toBe(false);
  });
});
