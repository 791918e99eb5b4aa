/** `refcap data inspect` as a person runs it: table, JSON, exit codes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRefcap } from './refcap.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  const create = { width: 8, height: 8, channels: 3 as const, background: '#208040' };
  await sharp({ create }).png().toFile(join(folder, 'a.png'));
  await sharp({ create }).png().toFile(join(folder, 'b.png'));
  writeFileSync(
    join(folder, 'captions.csv'),
    'file,caption,split\na.png,A green square .,train\nb.png,One green square,dev\nc.png,Gone,dev\n',
  );
});

const refcap = (...args: string[]) => runRefcap(args);

describe('refcap data inspect', () => {
  it('prints figures and problems, and ends well in spite of them', () => {
    const { status, stdout } = refcap('data', 'inspect', folder);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^train +1 +0 +0 +1 +1$/m);
    expect(stdout).toMatch(/^dev +1 +1 +0 +1 +1$/m);
    expect(stdout).toMatch(
      /1 {2}duplicate images across splits\n +a\.png \(train\) = b\.png \(dev\)/,
    );
    expect(stdout).toMatch(/1 {2}images without a file\n +c\.png \(dev\)/);
  });

  it('gives the same as JSON', () => {
    const { status, stdout } = refcap('data', 'inspect', folder, '--output-format', 'json');
    expect(status).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.splits.all).toMatchObject({ images: 2, missing: 1, captions: 2 });
    expect(report.problems[0]).toEqual({
      kind: 'duplicate images across splits',
      count: 1,
      cases: ['a.png (train) = b.png (dev)'],
    });
  });

  it('takes the length limit, the format and the folder of images', () => {
    const { stdout } = refcap('data', 'inspect', join(folder, 'captions.csv'), '--max-words', '2');
    expect(stdout).toMatch(/2 {2}captions over the length limit of 2 words/);
    const wrong = refcap('data', 'inspect', folder, '--format', 'sidecar');
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(/^refcap: .*no captions found/);
    const elsewhere = refcap('data', 'inspect', folder, '--images', join(folder, 'none'));
    expect(elsewhere.stderr).toMatch(/none: there is no such folder/);
  });

  it('is told the columns, and names those there are', () => {
    const table = join(folder, 'other.csv');
    writeFileSync(table, 'shot,blurb\na.png,A green square\nb.png,Another\n');
    const asked = refcap('data', 'inspect', table);
    expect(asked.status).toBe(1);
    expect(asked.stderr).toMatch(/the columns shot, blurb; .*--image-column and --caption-column/);
    const told = ['--image-column', 'shot', '--caption-column', 'blurb'];
    expect(refcap('data', 'inspect', table, ...told).stdout).toMatch(/^all +2 +0 +0 +2 +1$/m);
    const wrong = refcap('data', 'inspect', table, '--image-column', 'photo');
    expect(wrong.stderr).toMatch(
      /other\.csv: line 1 has no column "photo"; it has shot, blurb\.\n$/,
    );
  });

  it('answers wrong usage with code 2, and a source of nothing with 1', () => {
    for (const args of [
      ['inspect'],
      ['inspect', folder, '--format', 'xml'],
      ['inspect', folder, '--max-words', '0'],
      ['inspect', folder, '--max-words', 'x'],
      ['inspekt'],
    ]) {
      const { status, stdout, stderr } = refcap('data', ...args);
      expect(status, args.join(' ')).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).not.toBe('');
    }
    const { status, stderr } = refcap('data', 'inspect', join(folder, 'nothing'));
    expect(status).toBe(1);
    expect(stderr).toMatch(/nothing: there is no such dataset/);
  });
});
