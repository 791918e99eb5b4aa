/** `refcap explain` as a person runs it. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tiny } from '../caption/models.ts';
import { type CommandRun, runRefcap } from './refcap.ts';

const owl = join(tiny, 'images/owl-1.png');
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refcap-explain-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): CommandRun {
  return runRefcap(['explain', '--model', tiny, '--threads', '1', ...args], { cwd: folder });
}

describe('refcap explain', () => {
  it('writes a page that it may replace, a contact sheet, and grids', async () => {
    const page = run(owl, join(tiny, 'images/none.png'));
    expect(page.status).toBe(3);
    expect(page.stderr).toContain('none.png');
    const html = readFileSync(join(folder, 'refcap-explain.html'), 'utf8');
    expect(html).toContain('>owl</button>');
    expect(run(owl, '-q')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    writeFileSync(join(folder, 'other.html'), 'mine');
    expect(run(owl, '-o', 'other.html').stderr).toContain('other.html: the file is there');
    expect(run(owl, '-o', 'sheet.png').status).toBe(0);
    const { width, height } = await sharp(join(folder, 'sheet.png')).metadata();
    expect(width).toBeGreaterThan(400);
    expect(height).toBeGreaterThan(200);
    const { stdout } = run(owl, '--format', 'json', '--caption', 'a brown owl');
    const [row] = JSON.parse(stdout);
    expect(row).toMatchObject({ caption: 'a brown owl', method: 'gradient-attention', side: 3 });
    expect(row.words.map(({ text }: { text: string }) => text)).toEqual(['a', 'brown', 'owl']);
    expect(row.words[2].map.map((line: number[]) => line.length)).toEqual([3, 3, 3]);
  }, 300_000);

  it('says what does not fit, and writes nothing', () => {
    const cases: [string[], number, string][] = [
      [[owl, owl, '--caption', 'an owl'], 2, '--caption is for one picture, and there are 2'],
      [[owl, '--caption', 'an owl 99'], 1, "lacks '99'"],
      [[owl, '--method', 'guess'], 2, "'guess' is invalid"],
      [[owl, '--device', 'abacus'], 1, "the device 'abacus' is not available"],
      [[owl, '-o', 'a.png', '--format', 'html'], 2, 'a.png'],
      [[], 2, 'name a picture'],
      [[owl, '--data', 'x'], 2, '--data: for --evaluate alone'],
      [
        [owl, '--split', 'dev', '--limit', '1', '--oracle', '3'],
        2,
        '--split, --limit, --oracle: for --evaluate alone',
      ],
      [[owl, '--caption', 'an owl', '--beams', '2'], 2, 'leave out --beams'],
      [
        ['--evaluate', '--data', 'x', '--method', 'rise', '-r'],
        2,
        '--method, --recursive: not for --evaluate',
      ],
      [['--evaluate', '--data', 'x', '--per-picture', '2'], 2, 'add --entities'],
      [
        ['--evaluate', '--data', 'x', '--measures', 'sanity', '--oracle', '1'],
        2,
        '--oracle: for --measures faithfulness, which is left out',
      ],
      [['--evaluate'], 2, '--evaluate needs --data'],
      [['--evaluate', '--data', 'x', '--beams', '3'], 2, 'leave out --beams'],
      [['--evaluate', '--data', 'x', '--measures', 'pointing'], 2, 'needs --entities'],
      [['https://example.org/a.png', '-o', 'b.html'], 1, 'explain takes files'],
    ];
    for (const [args, status, sentence] of cases) {
      const result = run(...args);
      expect(result.stderr).toContain(sentence);
      expect(result.status, sentence).toBe(status);
    }
    for (const name of ['a.png', 'b.html']) expect(existsSync(join(folder, name))).toBe(false);
  }, 300_000);

  it('measures the methods on a dataset', () => {
    const lines = ['owl-1.png', 'squat-1.png'].map((file) => {
      copyFileSync(join(tiny, 'images', file), join(folder, file));
      return JSON.stringify({ file, caption: 'a brown owl', split: 'dev' });
    });
    writeFileSync(join(folder, 'captions.jsonl'), `${lines.join('\n')}\n`);
    const { stdout, stderr, status } = run(
      ...['--evaluate', '--data', 'captions.jsonl', '--methods', 'attention', '--oracle', '1'],
      ...['--output', 'report.json'],
    );
    expect(stderr).not.toContain('refcap:');
    expect(status).toBe(0);
    expect(stdout).toContain('Deletion and insertion: 2 words');
    expect(stdout).toContain('Rank correlation');
    expect(stdout).toContain('Invented words');
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
    expect(report.faithfulness).toMatchObject({ words: 2, oracleWords: 1 });
  }, 300_000);
});
