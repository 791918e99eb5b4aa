/** Writes one set of captions in every format that `refcap score` reads. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { fixtures } from '../paths.ts';

export interface Item {
  id: string | number;
  candidate: string;
  references: string[];
}

/** A folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes `content` to `folder/name` and returns the path. */
export function write(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A file of test/fixtures/metrics. */
export function metricFixture<T>(name: string): T {
  return JSON.parse(readFileSync(join(fixtures, 'metrics', name), 'utf8')) as T;
}

const json = (value: unknown): string => JSON.stringify(value);
const cell = (text: string): string =>
  /[",\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
const lines = (rows: string[]): string => rows.map((row) => `${row}\n`).join('');

/** Candidate files by format. */
export const candidateFormats: Record<string, (items: readonly Item[]) => string> = {
  'results.json': (items) =>
    json(items.map(({ id, candidate }) => ({ image_id: id, caption: candidate }))),
  'by-id.json': (items) => json(Object.fromEntries(items.map((i) => [`${i.id}`, i.candidate]))),
  'lists.json': (items) =>
    JSON.stringify(Object.fromEntries(items.map((i) => [`${i.id}`, [i.candidate]])), null, 2),
  'results.jsonl': (items) =>
    lines(items.map(({ id, candidate }) => json({ image_id: id, caption: candidate }))),
  'results.csv': (items) =>
    `image_id,caption\r\n${lines(items.map((i) => `${i.id},${cell(i.candidate)}`))}`,
  'results.tsv': (items) =>
    `caption\timage\n${lines(items.map((i) => `${cell(i.candidate)}\t${i.id}`))}`,
};

/** The same for captions without line breaks. */
export const plainCandidateFormats: Record<string, (items: readonly Item[]) => string> = {
  ...candidateFormats,
  'results.txt': (items) => lines(items.map(({ candidate }) => candidate)),
  'list.json': (items) => json(items.map(({ candidate }) => candidate)),
};

/** Reference files by format. */
export const referenceFormats: Record<string, (items: readonly Item[]) => string> = {
  // COCO scatters an image's captions over the file.
  'coco.json': (items) =>
    json({
      info: { year: 2014 },
      images: items.map(({ id }) => ({ id, file_name: `COCO_val2014_${id}.jpg` })),
      licenses: [],
      annotations: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].flatMap((round) =>
        items.flatMap(({ id, references }, i) =>
          round < references.length
            ? [{ image_id: id, id: i * 11 + round, caption: references[round] }]
            : [],
        ),
      ),
    }),
  'dataset_karpathy.json': (items) =>
    json({
      images: [
        ...items.map(({ id, references }, imgid) => ({
          filename: `${id}`,
          imgid,
          split: 'test',
          sentences: references.map((raw) => ({ raw, tokens: [] })),
        })),
        { filename: 'other', imgid: 1e6, split: 'train', sentences: [{ raw: 'x', tokens: [] }] },
      ],
      dataset: 'test',
    }),
  'references.json': (items) =>
    JSON.stringify(Object.fromEntries(items.map((i) => [`${i.id}`, i.references])), null, 1),
  'references.jsonl': (items) =>
    lines(items.map(({ id, references }) => json({ image_id: id, references }))),
  'captions.jsonl': (items) =>
    lines(items.flatMap(({ id, references }) => references.map((text) => json({ id, text })))),
  'captions.txt': (items) =>
    `image,caption\n${lines(items.flatMap((i) => i.references.map((text) => `${i.id},${cell(text)}`)))}`,
  'references.tsv': (items) =>
    `image\tcaption\n${lines(items.flatMap((i) => i.references.map((text) => `${i.id}\t${cell(text)}`)))}`,
};

/** The same for captions without line breaks. */
export const plainReferenceFormats: Record<string, (items: readonly Item[]) => string> = {
  ...referenceFormats,
  'Flickr8k.token.txt': (items) =>
    lines(items.flatMap((i) => i.references.map((text, n) => `${i.id}#${n}\t${text}`))),
};
