/** The JSON walker against JSON.parse, however the text is cut into pieces. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonEntry, JsonWalker, jsonPath } from '../../../src/data/captions/json.ts';

function walk(text: string, cuts: readonly number[] = []): JsonEntry[] {
  const entries: JsonEntry[] = [];
  const walker = new JsonWalker('file.json', (entry) => entries.push(entry));
  let start = 0;
  for (const cut of [...cuts].map((c) => c % (text.length + 1)).sort((a, b) => a - b)) {
    walker.push(text.slice(start, cut));
    start = cut;
  }
  walker.push(text.slice(start));
  walker.end();
  return entries;
}

/** What the walker should hand out, made from the parsed document. */
function expected(document: unknown): JsonEntry[] {
  if (Array.isArray(document))
    return document.map((value, index) => ({ key: undefined, index, value }));
  return Object.entries(document as object).flatMap(([key, value]) =>
    Array.isArray(value)
      ? value.map((element, index) => ({ key, index, value: element as unknown }))
      : [{ key, index: -1, value: value as unknown }],
  );
}

const documents = fc.oneof(
  fc.array(fc.jsonValue({ maxDepth: 3 })),
  fc.dictionary(
    // JavaScript would sort whole numbers before other names.
    fc.string().map((name) => `k${name}`),
    fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.array(fc.jsonValue({ maxDepth: 2 }))),
  ),
);

describe('JsonWalker', () => {
  it('hands out what JSON.parse finds, in any pieces and any layout', () => {
    fc.assert(
      fc.property(
        documents,
        fc.array(fc.nat()),
        fc.constantFrom(0, 2),
        (document, cuts, indent) => {
          const text = JSON.stringify(document, null, indent);
          expect(walk(` ${text}\n`, cuts)).toEqual(expected(JSON.parse(text)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('refuses whatever JSON.parse refuses', () => {
    const broken = fc
      .tuple(documents, fc.nat(), fc.constantFrom('', ',', ']', '}', '"', ':', 'x', '1'))
      .map(([document, at, insert]) => {
        const text = JSON.stringify(document);
        const position = at % text.length;
        return text.slice(0, position) + insert + text.slice(position + 1);
      })
      .filter((text) => !parses(text));
    fc.assert(
      fc.property(broken, fc.array(fc.nat()), (text, cuts) => {
        expect(() => walk(text, cuts)).toThrow(/^file\.json: /);
      }),
      { numRuns: 1000 },
    );
  });

  it('names the place of a fault', () => {
    expect(() => walk('{"annotations": [\n{"a": 1},\n{"a" 2}]}')).toThrow(
      /line 3, at \$\.annotations\[1\]: not valid JSON/,
    );
    expect(() => walk('[{"a": 1},\n{"a": "caption')).toThrow(/ends inside \$\[1\].*cut off/);
    expect(() => walk('[1] x')).toThrow(/after the end/);
    expect(() => walk('"text"')).toThrow(/\$ should be a JSON array or object/);
    expect(jsonPath('a b', 3)).toBe('$["a b"][3]');
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
