/** Captions in pictures' metadata as a stranger makes them: `refcap caption --format xmp`, `refcap metadata undo`. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { fixtures, repositoryRoot } from '../paths.ts';

const main = join(repositoryRoot, 'dist/cli/main.js');
const tiny = join(fixtures, 'blip/tiny');
const folder = mkdtempSync(join(tmpdir(), 'refcap-metadata-'));
const photos = join(folder, 'photos');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  rmSync(photos, { recursive: true, force: true });
  for (const name of ['cat-0', 'owl-1'])
    cpSync(join(tiny, `images/${name}.png`), join(photos, `${name}.png`));
});

function refcap(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' });
}
const caption = (...args: string[]) => refcap('caption', '--model', tiny, 'photos', ...args);

describe('refcap caption --format xmp', () => {
  it('writes XMP files, goes on past broken ones, and is undone', () => {
    writeFileSync(join(photos, 'cat-0.png.xmp'), '<broken');
    const first = caption('--format', 'xmp');
    expect(first.stdout).toBe('');
    expect(first.stderr).toMatch(/^1 captioned, 1 failed in .*\nrefcap: photos\/cat-0\.png\.xmp: /);
    expect(first.status).toBe(3);
    expect(readFileSync(join(photos, 'owl-1.png.xmp'), 'utf8')).toContain('<dc:description>');
    rmSync(join(photos, 'cat-0.png.xmp'));
    expect(caption('--format', 'xmp', '--resume').stderr).toMatch(/^1 captioned, 1 skipped in /);
    const undone = refcap('metadata', 'undo', 'photos');
    expect(undone.stdout).toBe('photos/cat-0.png.xmp\nphotos/owl-1.png.xmp\n');
    expect(undone.stderr).toBe('2 looked at, 2 changed, 0 failed\n');
    expect(undone.status).toBe(0);
    expect(readdirSync(photos)).toEqual(['cat-0.png', 'owl-1.png']);
  });

  it.each([
    [['--existing', 'append'], '--existing needs --format xmp.'],
    [['--format', 'xmp', '--output', 'a'], 'leave out --output'],
    [['--format', 'xmp', '--overwrite'], '--existing overwrite'],
  ])('says what does not go together: %j', (args, sentence) => {
    const { status, stderr } = caption(...args);
    expect(stderr).toContain(sentence);
    expect(status).toBe(2);
  });
});
