/** HEIC pictures as a stranger has them: captioned, into the file itself and beside it, served, refused in words. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { heifParts } from '../metadata/embed/heif.ts';
import { hasExiftool, tagsOf } from '../metadata/exiftool.ts';
import { fixtures } from '../paths.ts';
import { loadedFiles } from './loaded-files.ts';
import { runRefcap } from './refcap.ts';
import { startServe } from './server-process.ts';

const tiny = join(fixtures, 'blip/tiny');
const phone = join(fixtures, 'heic/phone.heic');
const folder = mkdtempSync(join(tmpdir(), 'refcap-heic-cli-'));
const photos = join(folder, 'photos');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  rmSync(photos, { recursive: true, force: true });
  cpSync(phone, join(photos, 'IMG_1.HEIC'));
  cpSync(join(tiny, 'images/owl-1.png'), join(photos, 'owl.png'));
});

const refcap = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  runRefcap(args, { cwd: folder, env });
/** The tiny model has no words for every picture by itself. */
const long = ['--min-length', '8', '--max-length', '8'];
const caption = (...args: string[]) =>
  refcap(['caption', '--model', tiny, 'photos', ...long, ...args]);

describe('refcap caption of HEIC', () => {
  it('writes the words of its pixels', () => {
    cpSync(join(fixtures, 'heic/phone.png'), join(photos, 'same.png'));
    const { stdout, status } = caption();
    expect(status).toBe(0);
    const words = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t')),
    );
    expect(Object.keys(words)).toEqual(['photos/IMG_1.HEIC', 'photos/owl.png', 'photos/same.png']);
    expect(words['photos/IMG_1.HEIC']).toBe(words['photos/same.png']);
  });

  it('embeds them, leaves what is described alone, and takes them out again', () => {
    const file = join(photos, 'IMG_1.HEIC');
    const before = readFileSync(file);
    const [first] = caption('-q').stdout.split('\n');
    const words = first.slice(first.indexOf('\t') + 1);
    expect(caption('--embed').stderr).toMatch(/^2 captioned in /);
    const embedded = readFileSync(file);
    // The picture, its tiles and its EXIF.
    expect(heifParts(embedded)).toEqual(heifParts(before));
    expect(embedded.includes(words)).toBe(true);
    if (hasExiftool) expect(tagsOf(file)['XMP-dc:Description']).toBe(words);
    expect(caption('--embed', '--skip-captioned').stderr).toMatch(/^0 captioned, 2 skipped in /);
    expect(refcap(['metadata', 'undo', 'photos']).stderr).toBe(
      '2 looked at, 2 changed, 0 failed\n',
    );
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('writes XMP beside it', () => {
    expect(caption('--format', 'xmp').stderr).toMatch(/^2 captioned in /);
    expect(readFileSync(join(photos, 'IMG_1.HEIC.xmp'), 'utf8')).toContain('<dc:description>');
  });

  it('goes on past one that is cut, and says so', () => {
    writeFileSync(join(photos, 'cut.heic'), readFileSync(phone).subarray(0, 3000));
    const { stderr, status } = caption();
    expect(stderr).toMatch(/^2 captioned, 1 failed in /);
    expect(stderr).toMatch(
      /photos\/cut\.heic: the HEIC is cut off, damaged or of a rare kind \(.*\);/,
    );
    expect(status).toBe(3);
  });

  it('names the package where that is not installed, and reads all else', () => {
    const without = join(folder, 'without.cjs');
    writeFileSync(
      without,
      `const Module = require('node:module');
       const resolve = Module._resolveFilename;
       Module._resolveFilename = (name, ...rest) => {
         if (name.startsWith('libheif-js')) throw new Error('not here');
         return resolve(name, ...rest);
       };`,
    );
    const { stdout, stderr, status } = refcap(['caption', '--model', tiny, 'photos'], {
      NODE_OPTIONS: `--require ${without}`,
    });
    expect(stdout).toMatch(/^photos\/owl\.png\t/);
    expect(stderr).toMatch(
      /photos\/IMG_1\.HEIC: HEIC pictures need the package libheif-js, which is not installed here; npm install libheif-js, or convert it to JPEG\./,
    );
    expect(status).toBe(3);
  });

  it('loads its decoder for HEIC alone', () => {
    const loaded = (file: string) =>
      loadedFiles('caption', file, '--model', tiny, '--quiet').files.filter((one) =>
        one.includes('heic'),
      );
    expect(loaded(join(tiny, 'images/owl-1.png'))).toEqual([]);
    expect(loaded(phone)).toContain('data/images/heic/decode-heic.js');
  });
});

it('refcap serve takes HEIC', async () => {
  const server = startServe();
  try {
    const url = await server.url();
    const ask = async (file: string, type: string) => {
      const body = readFileSync(join(fixtures, file));
      const headers = { 'content-type': type };
      const address = `${url}/v1/captions?min-length=8&max-length=8`;
      const answer = await fetch(address, { method: 'POST', body, headers });
      return z
        .object({ results: z.array(z.object({ caption: z.string().min(1) })) })
        .parse(await answer.json());
    };
    const [heic, png] = [
      await ask('heic/phone.heic', 'image/heic'),
      await ask('heic/phone.png', 'image/png'),
    ];
    expect(heic.results[0].caption).toBe(png.results[0].caption);
  } finally {
    server.child.kill('SIGKILL');
  }
});
