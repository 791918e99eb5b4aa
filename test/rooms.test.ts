/** The rules of the rooms: what they catch, and that the page shows their table. `npm run rooms` checks the sources. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { violations } from '../scripts/rooms/cruise.ts';
import { type Room, rooms } from '../scripts/rooms/rooms.ts';
import { withTable } from '../scripts/rooms/table.ts';
import { repositoryRoot } from './paths.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A project of these files, beside the project's own packages. */
function project(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'refcap-rules-'));
  folders.push(root);
  symlinkSync(join(repositoryRoot, 'node_modules'), join(root, 'node_modules'));
  const browser = { './src/engine/runtime/node.ts': './src/engine/runtime/web.ts' };
  const all = { 'package.json': JSON.stringify({ browser }), ...files };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const small: Readonly<Record<string, Room>> = {
  base: { holds: '', uses: [] },
  engine: { holds: '', uses: ['base'], browser: 'whole' },
  data: { holds: '', uses: ['base'], browser: 'part' },
  metrics: { holds: '', uses: [] },
  cli: { holds: '', uses: ['base', 'data'] },
};

/** Files that keep every rule; a case changes some. */
const good = {
  'src/index.ts': `export * from './data/index.ts';`,
  'src/base/errors.ts': `export class InputError extends Error {}`,
  'src/base/files.ts': `import { readFileSync } from 'node:fs'; export const read = readFileSync; export type Path = string;`,
  'src/engine/session.ts': `import { run } from './runtime/node.ts'; import type { Path } from '../base/files.ts'; export const path: Path = String(run);`,
  'src/engine/runtime/node.ts': `import * as ort from 'onnxruntime-node'; import { cpus } from 'node:os'; export const run = [ort, cpus];`,
  'src/engine/runtime/web.ts': `export const run = async () => import('onnxruntime-web');`,
  'src/data/browser.ts': `export * from './resize.ts';`,
  'src/data/index.ts': `export * from './browser.ts'; export * from './load.ts';`,
  'src/data/resize.ts': `export const resize = 1;`,
  'src/data/load.ts': `import { read } from '../base/files.ts'; export const load = read;`,
  'src/metrics/bleu.ts': `export const bleu = 1;`,
  'src/cli/main.ts': `const { load } = await import('../data/load.ts'); load('x');`,
};

describe('the rules', () => {
  it('let pass what keeps them', async () => {
    expect(await violations(project(good), small)).toEqual([]);
  });

  const cases: Readonly<Record<string, readonly [files: Record<string, string>, RegExp]>> = {
    'a room above': [
      { 'src/base/errors.ts': `import { load } from '../data/load.ts'; export const x = load;` },
      /^room-base: src\/base\/errors\.ts -> src\/data\/load\.ts$/m,
    ],
    'a type of a room above': [
      { 'src/base/errors.ts': `import type { InputError } from '../cli/main.ts';` },
      /^room-base: src\/base\/errors\.ts -> src\/cli\/main\.ts$/m,
    ],
    'a room above, when it is needed': [
      { 'src/base/errors.ts': `export const x = () => import('../cli/main.ts');` },
      /^room-base: src\/base\/errors\.ts -> src\/cli\/main\.ts$/m,
    ],
    'a type passed on from a room above': [
      { 'src/base/errors.ts': `export type { InputError } from '../cli/main.ts';` },
      /^room-base: src\/base\/errors\.ts -> src\/cli\/main\.ts$/m,
    ],
    'a folder without a row': [
      { 'src/attic/old.ts': `import '../base/errors.ts';` },
      /^known-rooms: src\/attic\/old\.ts/m,
    ],
    'a circle': [
      { 'src/data/resize.ts': `import type { x } from './browser.ts'; export const resize = 1;` },
      /^no-circles: src\/data\/(?:resize|browser)\.ts -> /m,
    ],
    'onnxruntime in another room': [
      {
        'src/data/load.ts': `import { Tensor } from 'onnxruntime-node'; export const load = Tensor;`,
      },
      /^onnxruntime-behind-the-engine: src\/data\/load\.ts/m,
    ],
    'a package in the metrics': [
      { 'src/metrics/bleu.ts': `import { z } from 'zod'; export const bleu = z;` },
      /^metrics-without-packages: src\/metrics\/bleu\.ts/m,
    ],
    'an entry used from within': [
      { 'src/cli/main.ts': `import '../data/index.ts';` },
      /^entries-are-for-users: src\/cli\/main\.ts -> src\/data\/index\.ts$/m,
    ],
    'a file that is not there': [
      { 'src/cli/main.ts': `import './gone.ts';` },
      /^resolvable: src\/cli\/main\.ts/m,
    ],
    'Node in what runs in browsers': [
      {
        'src/data/resize.ts': `import { read } from '../base/files.ts'; export const resize = read;`,
      },
      /^browser-without-node: src\/data\/browser\.ts -> .*fs/m,
    ],
    'a package that needs Node in what runs in browsers': [
      { 'src/engine/session.ts': `import sharp from 'sharp'; export const run = sharp;` },
      /^browser-without-node: src\/engine\/session\.ts -> .*sharp/m,
    ],
  };
  for (const [name, [files, expected]] of Object.entries(cases))
    it(`refuse ${name}`, async () => {
      expect((await violations(project({ ...good, ...files }), small)).join('\n')).toMatch(
        expected,
      );
    });
});

describe('docs/architecture.md', () => {
  it('shows the table of rooms as it is (npx tsx scripts/rooms/table.ts)', () => {
    const page = readFileSync(join(repositoryRoot, 'docs/architecture.md'), 'utf8');
    expect(withTable(page, rooms)).toBe(page);
  });

  it('takes a table that changed', () => {
    const page = readFileSync(join(repositoryRoot, 'docs/architecture.md'), 'utf8');
    const changed = withTable(page, small);
    expect(changed).not.toBe(page);
    expect(changed).toContain('| `cli/` |  | base, data |');
  });
});
