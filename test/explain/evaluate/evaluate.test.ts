/** Measuring explanations on a dataset: which pictures count, what is told, and what is refused. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.ts';
import { Captioner } from '../../../src/caption/captioner.ts';
import { evaluateExplanations } from '../../../src/explain/evaluate/evaluate.ts';
import type { MeasureName } from '../../../src/explain/evaluate/measures.ts';
import { tiny } from '../../caption/models.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-explain-evaluate-'));
const files = ['cat-0.png', 'owl-1.png', 'squat-1.png'];
const entities = join(folder, 'entities.jsonl');
const entity = (file: string, boxes: Record<string, number[][]>) => ({
  ...{ file, width: 48, height: 48, boxes },
  captions: [
    { words: ['a', 'owl'], phrases: [{ id: '1', types: ['animals'], first: 0, words: 2 }] },
  ],
});
let captioner: Captioner;
beforeAll(async () => {
  const lines = files.map((file) => {
    copyFileSync(join(tiny, 'images', file), join(folder, file));
    return JSON.stringify({ file, caption: 'a brown owl', split: 'dev' });
  });
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'captions.jsonl'), `${lines.join('\n')}\n`);
  const rows = [entity('owl-1.png', { 1: [[0, 0, 24, 48]] }), entity('squat-1.png', {})];
  writeFileSync(entities, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  captioner = await Captioner.load(tiny, { threads: 1 });
});
afterAll(() => {
  captioner[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

function measure(measures: readonly MeasureName[], more: object = {}) {
  const told: string[] = [];
  const measured = evaluateExplanations(captioner, {
    ...{ data: join(folder, 'captions.jsonl'), split: 'dev', measures, methods: ['attention'] },
    ...{ captions: 1, oracle: 0, seed: 1 },
    onDone: (name, done, total) => told.push(`${name} ${done}/${total}`),
    ...more,
  });
  return measured.then((results) => ({ results, told }));
}

describe('evaluateExplanations', () => {
  it('points at the pictures that have boxes alone, and measures what is asked for', async () => {
    const { results, told } = await measure(['pointing', 'invented'], { entities, limit: 2 });
    expect(Object.keys(results).sort()).toEqual(['invented', 'pointing']);
    // Of the first two pictures one is in the file of boxes.
    expect(results.pointing?.map((phrases) => phrases.length)).toEqual([1]);
    expect(results.pointing?.[0][0].types).toEqual(['animals']);
    expect(Object.keys(results.pointing?.[0][0].by ?? {})).toContain('attention');
    expect(results.invented).toHaveLength(2);
    expect(told).toEqual(['pointing 1/1', 'invented 1/2', 'invented 2/2']);
  });

  it('decodes and captions each picture once, and tells what the reader says of the dataset', async () => {
    const counts = { prepared: 0, captioned: 0 };
    const counting = new Proxy(captioner, {
      get(target, name) {
        if (name === 'prepare') counts.prepared += 1;
        if (name === 'captionPrepared') counts.captioned += 1;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const notes: string[] = [];
    const noted = join(folder, 'noted.jsonl');
    const rows = [...files, 'gone.png'].map((file) =>
      JSON.stringify({
        file,
        caption: 'a brown owl',
        split: file === 'gone.png' ? 'train' : 'dev',
      }),
    );
    writeFileSync(noted, `${rows.join('\n')}\n`);
    const onNote = (note: string) => notes.push(note);
    const measured = await evaluateExplanations(counting, {
      ...{ data: noted, split: 'dev', measures: ['faithfulness', 'sanity'], limit: 2 },
      ...{ methods: ['attention'], captions: 1, oracle: 0, seed: 1, onNote },
      onDone: () => undefined,
    });
    expect(counts).toEqual({ prepared: 2, captioned: 2 });
    const stages = [...(measured.sanity ?? new Map())].map(([name, by]) => [
      name,
      by.get('attention')?.length,
    ]);
    // Each picture's maps with the shuffled model's, and those of one with another's caption.
    expect(stages).toEqual([
      ['language head', 2],
      ['and decoder layer 1', 2],
      ['and decoder layer 0', 2],
      ['and everything else', 2],
      ["another picture's caption", 1],
    ]);
    expect(notes.join()).toContain('1 of 4 images has no file');
  });

  it('has no phrases of a picture without boxes, and no pointing without a file', async () => {
    const { results } = await measure(['pointing'], { entities });
    expect(results.pointing?.map((phrases) => phrases.length)).toEqual([1, 0]);
    expect((await measure(['pointing'])).results).toEqual({});
  });

  it('refuses a split without pictures, and boxes of other pictures', async () => {
    await expect(measure(['invented'], { split: 'test' })).rejects.toThrow(
      /captions\.jsonl: the test split has no pictures\.$/,
    );
    const others = join(folder, 'others.jsonl');
    writeFileSync(others, JSON.stringify(entity('else.png', {})));
    const refused = measure(['pointing'], { entities: others });
    await expect(refused).rejects.toThrow(InputError);
    await expect(refused).rejects.toThrow(/none of its pictures is in the dev split\.$/);
  });

  it('stops between pictures', async () => {
    const stop = new AbortController();
    const onDone = (): void => stop.abort(new Error('stopped'));
    await expect(measure(['invented'], { signal: stop.signal, onDone })).rejects.toThrow('stopped');
  });
});
