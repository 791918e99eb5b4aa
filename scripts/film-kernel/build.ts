/**
 * Compiles kernel.as into src/data/films/kernel/bytes.ts.
 *
 * Usage: npx tsx scripts/film-kernel/build.ts
 * The compiler is fetched by npx; it is no dependency, as it is larger than all others together.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiler = 'assemblyscript@0.28.20';
const source = fileURLToPath(new URL('kernel.as', import.meta.url));
const target = fileURLToPath(new URL('../../src/data/films/kernel/bytes.ts', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'refcap-kernel-'));
try {
  copyFileSync(source, join(folder, 'kernel.ts'));
  const options = '-O3 --runtime stub --importMemory --enable simd --use abort= -o kernel.wasm';
  execFileSync('npx', ['--yes', '--package', compiler, 'asc', 'kernel.ts', ...options.split(' ')], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const bytes = readFileSync(join(folder, 'kernel.wasm'));
  const mark = createHash('sha256').update(readFileSync(source)).digest('hex');
  const lines = bytes.toString('base64').match(/.{1,90}/g) ?? [];
  const text = lines.map((line) => `  '${line}',`).join('\n');
  writeFileSync(
    target,
    `/** Written by scripts/film-kernel/build.ts from kernel.as, whose SHA-256 is below. */\nexport const sourceMark = '${mark}';\n\n/** A WebAssembly module in base64. */\nexport const kernelBytes: string = [\n${text}\n].join('');\n`,
  );
  console.log(`${bytes.length} bytes`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
