/** The notebook: its script runs from the first cell to the last, and the notebook is that script, executed. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { transformSync } from 'esbuild';
import { parseAst } from 'vite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseCells } from '../../scripts/notebook/cells.ts';
import { notebookSchema, wholeText } from '../../scripts/notebook/ipynb.ts';
import { repositoryRoot } from '../paths.ts';

const folder = join(repositoryRoot, 'notebooks');
const cells = parseCells(readFileSync(join(folder, 'walkthrough.ts'), 'utf8'));
const photos = readdirSync(join(repositoryRoot, 'samples')).filter((name) => name.endsWith('.jpg'));

/** What stands before a cell's output on the way from the process that ran it. */
const mark = '-- cell ';

/** A code cell as JavaScript that prints what a kernel shows: the value of its last expression. */
function showing(source: string, number: number): string {
  const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } };
  const { code } = transformSync(source, { loader: 'ts', target: 'es2022', tsconfigRaw });
  const last = parseAst(code).body.at(-1);
  const head = `console.log('${mark}${number}');\n`;
  if (last?.type !== 'ExpressionStatement') return `${head}${code}`;
  const { start, end } = last.expression;
  return `${head}${code.slice(0, start)}showLast(${code.slice(start, end)});\n`;
}

const showLast = `
function showLast(value) {
  if (value === undefined) return;
  if (typeof value[Symbol.for('Jupyter.display')] !== 'function') throw new Error('a cell ends in a value that is not shown');
  console.log(String(value));
}
`;

/** Runs the code cells as one program, as a user of the package would. @returns what each shows */
function runCells(settings: NodeJS.ProcessEnv): string[] {
  const code = cells.filter(({ kind }) => kind === 'code').map(({ text }, i) => showing(text, i));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-'], {
    cwd: folder,
    encoding: 'utf8',
    input: [...code, showLast].join('\n'),
    env: { ...process.env, ...settings },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout.split(new RegExp(`^${mark}\\d+\\n`, 'm')).slice(1);
}

describe('the walkthrough', () => {
  it('runs in order: captions, scores, two epochs of training, a copy, an explanation', () => {
    const place = mkdtempSync(join(tmpdir(), 'refcap-notebook-'));
    onTestFinished(() => rmSync(place, { recursive: true, force: true }));
    const shown = runCells({ WALKTHROUGH_EPOCHS: '2', TMPDIR: place });
    expect(shown).toHaveLength(cells.filter(({ kind }) => kind === 'code').length);
    const [about, captions] = shown;
    expect(about).toContain(`${photos.length} photos, `);
    for (const photo of photos) expect(captions).toContain(photo);
    expect(captions.match(/\d+ %$/gm)).toHaveLength(photos.length);
    const all = shown.join('\n');
    expect(all).toMatch(/^epoch 1: dev \d\.\d{3} nats a word, refined \d\.\d{3}$/m);
    expect(all).toMatch(/^Training loss\. total: from .* at step 1 to .* at step 2; .*refined/m);
    expect(all).toMatch(/^Validation loss\. base: from .* at step 1 to .* at step 2; refined/m);
    expect(all.match(/^cat\.jpg {2,}dev /m)).not.toBeNull();
    expect(all).toContain('the copy writes the same captions');
    expect(all).toMatch(/^dog +\S.* \d+ % +(?:hardly|a little|much|wholly)$/m);
    expect(readdirSync(place)).toEqual([]);
  });
});

describe('walkthrough.ipynb', () => {
  const text = readFileSync(join(folder, 'walkthrough.ipynb'), 'utf8');
  const notebook = notebookSchema.parse(JSON.parse(text));
  const outputs = notebook.cells.flatMap((cell) => cell.outputs ?? []);

  it('has the cells of the script', () => {
    const own = notebook.cells.map(({ cell_type: kind, source }) => ({
      kind,
      text: wholeText(source),
    }));
    expect(own, 'make it anew: npx tsx scripts/build-notebook.ts').toEqual(cells);
  });

  it('was executed from the first cell to the last, without an error', () => {
    const code = notebook.cells.filter(({ cell_type: kind }) => kind === 'code');
    expect(code.map((cell) => cell.execution_count)).toEqual(code.map((_, i) => i + 1));
    expect(outputs.filter((output) => output.output_type === 'error')).toEqual([]);
    expect(text.match(/data:image\/jpeg/g)?.length).toBeGreaterThan(2 * photos.length);
    expect(text.match(/data:image\/svg/g)).toHaveLength(2);
  });

  it('is small, and tells nothing of the machine that made it', () => {
    expect(Buffer.byteLength(text)).toBeLessThan(1.5 * 2 ** 20);
    for (const path of [repositoryRoot.replace(/\/$/, ''), homedir(), tmpdir()])
      expect(text).not.toContain(path);
    expect(text).not.toMatch(/"name": "stderr"|\/home\/|file:\/\//);
  });

  it('links to pages that are there', () => {
    const links = cells.flatMap(({ text: source }) =>
      [...source.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path),
    );
    expect(links.length).toBeGreaterThan(3);
    expect(
      links.filter((path) => !existsSync(join(folder, path))).map((path) => basename(path)),
    ).toEqual([]);
  });
});
