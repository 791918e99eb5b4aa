/** The rooms of docs/architecture.md: a room imports only rooms above it, and files form no import cycle. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './paths.ts';

/** Each room and the rooms it may import besides itself, low to high. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  base: [],
  engine: ['base'],
  weights: ['base'],
  nn: ['base', 'engine'],
  metrics: ['base'],
  hub: ['base', 'weights'],
  data: ['base'],
  pages: ['base'],
  model: ['base', 'engine', 'weights', 'nn', 'hub', 'data'],
  generation: ['base', 'engine', 'nn', 'model'],
  caption: ['base', 'engine', 'weights', 'hub', 'data', 'model', 'generation'],
  score: ['base', 'metrics', 'data'],
  train: [
    ...['base', 'engine', 'weights', 'nn', 'metrics', 'hub', 'data', 'pages', 'model'],
    ...['generation', 'score'],
  ],
  evaluate: ['base', 'metrics', 'hub', 'data', 'model', 'caption', 'score'],
  compare: ['base', 'metrics', 'score', 'evaluate'],
  ablate: ['base', 'metrics', 'hub', 'data', 'model', 'caption', 'score', 'train', 'evaluate'],
  cli: [
    ...['base', 'metrics', 'hub', 'data', 'pages', 'model', 'generation', 'caption', 'score'],
    ...['train', 'evaluate', 'compare', 'ablate'],
  ],
};

const source = join(repositoryRoot, 'src');

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : path.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const pattern = /(?:^|[\s;}])(?:import|export)\s*(?:[^'";]*?from\s*)?\(?\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

const files = filesBelow(source);
const graph = new Map(
  files.map((file) => [
    file,
    importsOf(file)
      .filter((name) => name.startsWith('.'))
      .map((name) => join(dirname(file), name)),
  ]),
);
const roomOf = (file: string) => relative(source, file).split(/[\\/]/)[0] ?? '';

describe('rooms', () => {
  it('finds imports in every form', () => {
    expect(files.length).toBeGreaterThan(5);
    expect([...graph.values()].flat().length).toBeGreaterThan(5);
  });

  it('import only the rooms above them', () => {
    const wrong: string[] = [];
    for (const [file, targets] of graph) {
      const from = roomOf(file);
      if (from.endsWith('.ts')) continue; // src/index.ts gathers the library
      const allowed = rooms[from];
      if (!allowed) {
        wrong.push(`${relative(source, file)}: unknown room`);
        continue;
      }
      for (const target of targets) {
        const to = roomOf(target);
        if (to !== from && !allowed.includes(to))
          wrong.push(`${relative(source, file)} imports ${relative(source, target)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('keep onnxruntime behind the engine and Node out of the metrics', () => {
    const wrong: string[] = [];
    for (const file of files) {
      for (const name of importsOf(file)) {
        if (name.startsWith('onnxruntime') && roomOf(file) !== 'engine')
          wrong.push(`${file}: ${name}`);
        if (roomOf(file) === 'metrics' && !name.startsWith('.')) wrong.push(`${file}: ${name}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('have no import cycle', () => {
    const state = new Map<string, 'open' | 'done'>();
    const visit = (file: string, path: string[]): string[] | undefined => {
      if (state.get(file) === 'done') return undefined;
      if (state.get(file) === 'open') return [...path.slice(path.indexOf(file)), file];
      state.set(file, 'open');
      for (const target of graph.get(file) ?? []) {
        const cycle = visit(target, [...path, file]);
        if (cycle) return cycle;
      }
      state.set(file, 'done');
      return undefined;
    };
    for (const file of files) expect(visit(file, [])).toBeUndefined();
  });
});
