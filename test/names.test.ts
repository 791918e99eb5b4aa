/** Names that the sources export: one name means one thing. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from './paths.ts';

/** Names that several files define on purpose. */
const shared: Readonly<Record<string, string>> = {
  command: 'each file of cli/ is a command',
  Captioner: 'in Node it opens folders, in a page addresses',
  backEnd: 'two back ends, of which a bundler takes one',
  layerNorm: 'the op, and the layer that gives it its parameters',
  attention: 'the layer; in explain/ a method and the map that it makes',
  gradientAttention: 'a method and the map that it makes',
  gradientInput: 'a method and the map that it makes',
  sigmoid: 'the op, and the function of a number',
  chatSchema: 'what a chat request is, by protocol',
};

const definition =
  /^export (?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type) (\w+)/gm;

/** The files that define each exported name. */
function definitions(): Map<string, string[]> {
  const root = join(repositoryRoot, 'src');
  const files = new Map<string, string[]>();
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    for (const [, name] of readFileSync(join(root, file), 'utf8').matchAll(definition)) {
      const known = files.get(name) ?? [];
      if (!known.includes(file)) files.set(name, [...known, file]);
    }
  }
  return files;
}

const several = [...definitions()].filter(([, files]) => files.length > 1);

it('mean one thing each', () => {
  const known = new Set(Object.keys(shared));
  expect(
    several.filter(([name]) => !known.has(name)).map((entry) => entry.flat().join(' ')),
  ).toEqual([]);
});

it('stand in the list only while several files define them', () => {
  const names = new Set(several.map(([name]) => name));
  expect(Object.keys(shared).filter((name) => !names.has(name))).toEqual([]);
});
