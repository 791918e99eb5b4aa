/** The pointing game and soft IoU on maps and boxes whose answer is known; boxes from a file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boxesOf, readEntities } from '../../../src/data/captions/entities.ts';
import {
  centreMap,
  coverage,
  highest,
  isInside,
  softIou,
} from '../../../src/explain/evaluate/pointing.ts';

describe('a map and boxes', () => {
  it('hit where the highest cell lies inside one of them', () => {
    const map = Float32Array.of(0, 0, 0, 0, 0, 1, 0, 0, 0);
    expect(highest(map, 3)).toEqual([2.5 / 3, 0.5]);
    expect(isInside(2.5 / 3, 0.5, [[0.7, 0.4, 1, 0.6]])).toBe(true);
    expect(isInside(2.5 / 3, 0.5, [[0, 0, 0.5, 1]])).toBe(false);
    expect(highest(centreMap(7), 7)).toEqual([0.5, 0.5]);
  });

  it('overlap wholly where the map is even inside the box and nothing outside', () => {
    const covered = coverage([[0, 0, 0.5, 1]], 2);
    expect([...covered]).toEqual([1, 0, 1, 0]);
    expect(softIou(Float32Array.of(3, 0, 3, -1), covered)).toBe(1);
    expect(softIou(Float32Array.of(0, 3, 0, 3), covered)).toBe(0);
    expect(softIou(Float32Array.of(1, 1, 1, 1), covered)).toBe(0.5);
    expect(coverage([[0, 0, 0.25, 0.5]], 2)[0]).toBe(0.5);
  });
});

describe('boxes of phrases', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'refcap-entities-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const row = {
    ...{ file: 'a.jpg', width: 200, height: 100, boxes: { 7: [[20, 10, 100, 100]] }, scene: [] },
    captions: [
      { words: ['a', 'dog'], phrases: [{ id: '7', types: ['animals'], first: 0, words: 2 }] },
    ],
  };

  it('are read from plain and gzipped lines, in parts of the picture', async () => {
    const line = `${JSON.stringify(row)}\n`;
    await writeFile(join(folder, 'a.jsonl'), line);
    await writeFile(join(folder, 'a.jsonl.gz'), gzipSync(line));
    for (const name of ['a.jsonl', 'a.jsonl.gz']) {
      const image = (await readEntities(join(folder, name))).get('a.jpg');
      if (!image) throw new Error('no row');
      expect(boxesOf(image, '7')).toEqual([[0.1, 0.1, 0.5, 1]]);
      expect(boxesOf(image, '0')).toEqual([]);
    }
  });

  it('that are none are told by file and line', async () => {
    const path = join(folder, 'bad.jsonl');
    await writeFile(path, `${JSON.stringify(row)}\n{"file": "b.jpg"}\n`);
    await expect(readEntities(path)).rejects.toThrow(`${path}: line 2: width`);
    await writeFile(path, '');
    await expect(readEntities(path)).rejects.toThrow('no rows');
    await expect(readEntities(join(folder, 'none'))).rejects.toThrow('cannot be read');
  });
});
