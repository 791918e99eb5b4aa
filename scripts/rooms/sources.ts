/**
 * The sources as JavaScript whose imports dependency-cruiser can read: it reads TypeScript by TypeScript's own
 * parser up to version 6 alone, and by swc's, which does not know `using`.
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { transformSync } from 'esbuild';

/** Which imports count: those of types too, or those that run where a bundler builds for browsers. */
export type Graph = 'all' | 'browser';

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

/**
 * Writes src/ of the project in `root` into `target`, each file.ts as file.js.
 * @param swaps files that others stand in for, by their names from the root
 */
export function writeSources(
  root: string,
  target: string,
  graph: Graph,
  swaps: Readonly<Record<string, string>>,
): void {
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'));
  for (const file of filesBelow(join(root, 'src'))) {
    const name = relative(root, file).replace(/\.ts$/, '.js');
    const path = join(target, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, javaScript(readFileSync(file, 'utf8'), file, graph, root, swaps));
  }
}

function javaScript(
  text: string,
  file: string,
  graph: Graph,
  root: string,
  swaps: Readonly<Record<string, string>>,
): string {
  const source =
    graph === 'all' ? text.replace(/^(import|export) type (?=[{*\w][^=]*from )/gm, '$1 ') : text;
  const { code } = transformSync(source, {
    loader: 'ts',
    target: 'es2022',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: graph === 'all' } },
  });
  return code.replace(/(["'])(\.{1,2}\/[^"']*\.ts)\1/g, (_, quote: string, imported: string) => {
    const wanted = `./${relative(root, join(dirname(file), imported))}`;
    const way = relative(dirname(file), join(root, swaps[wanted] ?? wanted));
    return `${quote}./${way.replace(/\.ts$/, '.js')}${quote}`;
  });
}
