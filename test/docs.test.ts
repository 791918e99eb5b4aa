/** What the documents point at is there: files that they name, pages that they link. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './paths.ts';

const pages = [
  ...[
    'README.md',
    'CONTRIBUTING.md',
    'THIRD_PARTY.md',
    'models/refcap-small/README.md',
    'notebooks/README.md',
  ],
  ...readdirSync(join(repositoryRoot, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** What a page tells the reader to make. */
const absent = /^(?:(?:src\/)?model\/towers\/(?:swin|NAME)|(?:src|test)\/metrics\/lengths\.)/;

const rooms = readdirSync(join(repositoryRoot, 'src'));
const roots = [
  'src',
  'test',
  'scripts',
  'docs',
  'bench',
  'verify',
  'recipes',
  'samples',
  'notebooks',
];
const named = new RegExp(`\`((?:${[...roots, ...rooms].join('|')})/[\\w./-]+)\``, 'g');

/** Paths from the root that a page names in code, or links. */
function pathsOf(page: string): string[] {
  const text = readFileSync(join(repositoryRoot, page), 'utf8');
  const inCode = [...text.matchAll(named)].map(([, path]) => path);
  const prose = text.replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
  const links = [...prose.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path]) =>
    join(dirname(page), path),
  );
  return [...inCode, ...links];
}

/** Files that the walks' tables name, each below the room of its row or of the row above. */
function walkedFiles(): string[] {
  const text = readFileSync(join(repositoryRoot, 'docs/architecture.md'), 'utf8');
  const walks = text.slice(text.indexOf('## Three walks'), text.indexOf('## The engine'));
  let room = '';
  return walks.split('\n').flatMap((line) => {
    const [, first, files] = line.startsWith('|') ? line.split('|') : [];
    if (first === undefined) return [];
    room = /`(\w+)\/`/.exec(first)?.[1] ?? room;
    return [...files.matchAll(/`([\w./-]+)`/g)].map(([, name]) => `src/${room}/${name}`);
  });
}

const isThere = (path: string): boolean =>
  existsSync(join(repositoryRoot, path)) || existsSync(join(repositoryRoot, 'src', path));

describe('documents', () => {
  it.each(pages)('%s names files that are there', (page) => {
    const missing = pathsOf(page).filter((path) => !absent.test(path) && !isThere(path));
    expect(missing).toEqual([]);
  });

  it('walk through files that are there', () => {
    const files = walkedFiles();
    expect(files.length).toBeGreaterThan(30);
    expect(files.filter((path) => !isThere(path))).toEqual([]);
  });

  it('are found to name files', () => {
    expect(pathsOf('docs/architecture.md').length).toBeGreaterThan(20);
    expect(isThere('src/blip/model.ts')).toBe(false);
  });
});
