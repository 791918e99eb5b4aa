/** `refcap export` as a stranger runs it, and the page's code. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runRefcap } from '../cli/refcap.ts';
import { fixtures, repositoryRoot } from '../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
const folder = mkdtempSync(join(tmpdir(), 'refcap-export-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function refcap(...args: string[]) {
  return runRefcap(args, { cwd: folder });
}

it('says what it wrote, and refuses in one sentence', () => {
  const { status, stdout, stderr } = refcap('export', tiny, 'out', '--layout', 'onnx');
  expect([status, stdout]).toEqual([0, 'out\n']);
  expect(stderr).toBe('encoder.onnx: 0.2 MB\ndecoder.onnx: 0.1 MB\n');

  const again = refcap('export', tiny, 'out');
  expect([again.status, again.stdout]).toEqual([1, '']);
  expect(again.stderr).toBe(
    'refcap: out: the folder exists and is not empty; choose another place for the export.\n',
  );
  const unknown = refcap('export', tiny, 'other', '--layout', 'coreml');
  expect(unknown.status).toBe(2);
  expect(unknown.stderr).toContain('Allowed choices are transformers.js, onnx, web.');
  const bits = refcap('export', tiny, 'other', '--layout', 'onnx', '--dtype', 'int4');
  expect(bits.status).toBe(2);
  expect(bits.stderr).toContain('dtype int4 needs an op of');
  const missing = refcap('export', 'no-such-model', 'other');
  expect(missing.status).toBe(1);
  expect(missing.stderr.trim().split('\n')).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(['out']);
});

it('prints what the format costs on given pictures', () => {
  const pictures = join(tiny, 'images');
  const checked = ['--check', pictures, '--check-limit', '5'];
  const { status, stdout, stderr } = refcap('export', tiny, 'checked', ...checked);
  expect([status, stdout]).toEqual([0, 'checked\n']);
  expect(stderr.trim().split('\n').at(-1)).toBe('f32: 0 of 5 greedy captions change');
  expect(refcap('export', tiny, 'unchecked', '--check-limit', '5').status).toBe(2);
});

it("runs the page's code for transformers.js", () => {
  const page = readFileSync(join(repositoryRoot, 'docs/export.md'), 'utf8');
  const code = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'));
  copyFileSync(join(repositoryRoot, 'samples/dog-on-grass.jpg'), join(folder, 'dog-on-grass.jpg'));
  writeFileSync(join(folder, 'page.mjs'), code);
  const [, command] = /\$ refcap (export refcap-small .*)\n/.exec(page) ?? [];
  const { stderr } = refcap(...command.split(' '));
  expect(page).toContain(stderr);
  const printed = execFileSync(process.execPath, ['page.mjs'], { cwd: folder, encoding: 'utf8' });
  expect(printed).toBe('a white dog is running with a stick in its mouth\n');
});
