/**
 * Makes notebooks/walkthrough.ipynb of notebooks/walkthrough.ts and executes it by Deno's kernel for Jupyter.
 *
 *   npx tsx scripts/build-notebook.ts --python ~/notebook/venv/bin/python
 *   npx tsx scripts/build-notebook.ts --no-execute                # where texts alone have changed: outputs stay
 *
 * notebooks/README.md says how the kernel and the Python that speaks to it are installed. The package is built first: the
 * cells import dist/.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { writeFileAtomic } from '../src/base/files.ts';
import { parseCells } from './notebook/cells.ts';
import {
  notebookSchema,
  notebookText,
  type Output,
  outputSchema,
  wholeText,
} from './notebook/ipynb.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'notebooks');
const target = join(folder, 'walkthrough.ipynb');
/** Bytes that the file may have. */
const most = 1.5 * 2 ** 20;

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    execute: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

/** Runs the code cells in the notebook's folder. @returns the outputs of each */
function execute(sources: readonly string[]): Output[][] {
  const { status, error, stdout } = spawnSync(
    values.python,
    [join(root, 'scripts/notebook/execute.py')],
    {
      input: JSON.stringify({ kernel: 'deno', folder, cells: sources }),
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NO_COLOR: '1' },
    },
  );
  if (error)
    throw new Error(
      `${values.python} cannot be started (${error.message}): install it as notebooks/README.md says, or name it with --python.`,
    );
  if (status !== 0)
    throw new Error(
      'the notebook was not executed to its end; what stopped it stands above. notebooks/README.md says what is needed.',
    );
  return z.array(z.array(outputSchema)).parse(JSON.parse(stdout));
}

/** @throws Error where the notebook is not fit to be kept */
function check(text: string): void {
  const machine = [root.replace(/\/$/, ''), homedir(), tmpdir()].find(
    (path) => path.length > 1 && text.includes(path),
  );
  if (machine !== undefined)
    throw new Error(`the outputs name ${machine}, a path of this machine: let no cell print it.`);
  if (/"name": "stderr"/.test(text))
    throw new Error('a cell wrote to standard error, which is no output to keep.');
  const size = Buffer.byteLength(text);
  if (size > most) throw new Error(`${size} bytes are more than ${most}: show smaller pictures.`);
}

/** The outputs that the notebook has. @throws Error where its code is not the script's any more */
function keptOutputs(sources: readonly string[]): Output[][] {
  const { cells } = notebookSchema.parse(JSON.parse(readFileSync(target, 'utf8')));
  const code = cells.filter(({ cell_type: kind }) => kind === 'code');
  const isSame =
    code.length === sources.length &&
    code.every(({ source }, i) => wholeText(source) === sources[i]);
  if (!isSame) throw new Error('the code of a cell has changed: leave out --no-execute.');
  return code.map(({ outputs = [] }) => outputs);
}

/** The outputs of a run of the cells, by the package as it is now. */
function newOutputs(sources: readonly string[]): Output[][] {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  return execute(sources);
}

try {
  const cells = parseCells(readFileSync(join(folder, 'walkthrough.ts'), 'utf8'));
  const code = cells.filter(({ kind }) => kind === 'code').map(({ text }) => text);
  const text = notebookText(cells, values.execute ? newOutputs(code) : keptOutputs(code));
  check(text);
  await writeFileAtomic(target, text);
  console.log(
    `${target}: ${cells.length} cells, ${Math.round(Buffer.byteLength(text) / 1024)} KiB`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
