/** Captions in pictures' metadata as a stranger makes them: `refcap caption --format xmp`, `refcap metadata undo`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { fixtures } from '../paths.ts';
import { main, runRefcap } from './refcap.ts';

const tiny = join(fixtures, 'blip/tiny');
const folder = mkdtempSync(join(tmpdir(), 'refcap-metadata-'));
const photos = join(folder, 'photos');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  rmSync(photos, { recursive: true, force: true });
  for (const name of ['astronaut-1', 'owl-1'])
    cpSync(join(tiny, `images/${name}.png`), join(photos, `${name}.png`));
});

function refcap(...args: string[]) {
  return runRefcap(args, { cwd: folder });
}
const caption = (...args: string[]) => refcap('caption', '--model', tiny, 'photos', ...args);

describe('refcap caption --format xmp', () => {
  it('writes XMP files, goes on past broken ones, and is undone', () => {
    writeFileSync(join(photos, 'astronaut-1.png.xmp'), '<broken');
    const first = caption('--format', 'xmp');
    expect(first.stdout).toBe('');
    expect(first.stderr).toMatch(
      /^1 captioned, 1 failed in .*\nrefcap: photos\/astronaut-1\.png\.xmp: /,
    );
    expect(first.status).toBe(3);
    expect(readFileSync(join(photos, 'owl-1.png.xmp'), 'utf8')).toContain('<dc:description>');
    rmSync(join(photos, 'astronaut-1.png.xmp'));
    expect(caption('--format', 'xmp', '--resume').stderr).toMatch(/^1 captioned, 1 skipped in /);
    const undone = refcap('metadata', 'undo', 'photos');
    expect(undone.stdout).toBe('photos/astronaut-1.png.xmp\nphotos/owl-1.png.xmp\n');
    expect(undone.stderr).toBe('2 looked at, 2 changed, 0 failed\n');
    expect(undone.status).toBe(0);
    expect(readdirSync(photos)).toEqual(['astronaut-1.png', 'owl-1.png']);
  });

  it('is undone to the end also where nobody reads the names', async () => {
    caption('--format', 'xmp');
    const child = spawn(process.execPath, [main, 'metadata', 'undo', 'photos'], { cwd: folder });
    child.stdout.destroy();
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(readdirSync(photos)).toEqual(['astronaut-1.png', 'owl-1.png']);
  });

  it('embeds captions, leaves described pictures alone, and is undone', () => {
    const before = readFileSync(join(photos, 'astronaut-1.png'));
    expect(caption('--embed').stderr).toMatch(/^2 captioned in /);
    expect(readdirSync(photos)).toEqual(['astronaut-1.png', 'owl-1.png']);
    const listed = caption('--skip-captioned');
    expect(listed.stdout).toBe('');
    expect(listed.stderr).toMatch(/^0 captioned, 2 skipped in /);
    expect(refcap('metadata', 'undo', 'photos', '-q').stdout).toBe(
      'photos/astronaut-1.png\nphotos/owl-1.png\n',
    );
    expect(readFileSync(join(photos, 'astronaut-1.png'))).toEqual(before);
  });

  it('writes captions in a style, with keywords', () => {
    const args = [
      '--format',
      'jsonl',
      '--keywords',
      '2',
      '--sentence',
      '--template',
      '<{caption}>',
    ];
    const rows = caption(...args)
      .stdout.trim()
      .split('\n');
    for (const row of rows.map((line) => JSON.parse(line))) {
      expect(row.caption).toMatch(/^<\p{Lu}.*\.>$/u);
      expect(row.captions[0].text).toBe(row.caption);
      expect(row.keywords.length).toBeLessThanOrEqual(2);
    }
    expect(rows.length).toBe(2);
  });

  it.each([
    [['--embed', '--format', 'jsonl'], '--embed needs --format xmp.'],
    [['--embed', '--sidecar-names', 'stem'], 'exclude each other'],
    [['--format', 'xmp', '--keep-times'], '--keep-times needs --embed.'],
    [['--keywords', '3'], '--keywords needs --format json, jsonl or xmp.'],
    [['--template', 'none'], '--template needs {caption}'],
    [['--append-to-existing', '-f', 'csv'], '--append-to-existing needs --format sidecar'],
    [['--existing', 'append'], '--existing needs --format xmp.'],
    [['--format', 'xmp', '--output', 'a'], 'leave out --output'],
    [['--format', 'xmp', '--overwrite'], '--existing overwrite'],
  ])('says what does not go together: %j', (args, sentence) => {
    const { status, stderr } = caption(...args);
    expect(stderr).toContain(sentence);
    expect(status).toBe(2);
  });
});
