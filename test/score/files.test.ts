/** Scoring of caption files, and the files that it writes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { scoreFiles } from '../../src/score/files.ts';
import { type Item, metricFixture, temporaryFolder, write } from '../data/caption-files.ts';

const folder = temporaryFolder();
const items = metricFixture<{ items: Item[] }>('coco_fakecap1000.json').items.slice(0, 60);
const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const captionsOf = (some: readonly Item[]) =>
  lines(some.map(({ id, candidate }) => ({ image_id: id, caption: candidate })));
const candidates = [write(folder, 'c.jsonl', captionsOf(items))];
const references = [
  write(
    folder,
    'r.json',
    JSON.stringify(Object.fromEntries(items.map((item) => [item.id, item.references]))),
  ),
];
const ready = { candidates, references, workers: 0 };

describe('scoreFiles', () => {
  it('writes the scores of each image, as JSON lines and CSV alike', async () => {
    const [jsonl, csv] = [join(folder, 'each.jsonl'), join(folder, 'each.csv')];
    for (const perImage of [jsonl, csv])
      await scoreFiles({ ...ready, metrics: 'cider,rouge', perImage });
    const rows = readFileSync(jsonl, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    expect(rows.map(({ image_id }) => image_id)).toEqual(items.map(({ id }) => String(id)));
    expect(rows.map(({ caption }) => caption)).toEqual(items.map(({ candidate }) => candidate));
    const table: Record<string, string>[] = parse(readFileSync(csv), { columns: true });
    expect(table).toEqual(
      rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)])),
      ),
    );
  });

  it('means over images are the corpus scores where these are means', async () => {
    const perImage = join(folder, 'means.jsonl');
    const [report] = await scoreFiles({ ...ready, metrics: 'cider,rouge-l', perImage });
    const rows = readFileSync(perImage, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const name of ['CIDEr', 'ROUGE_L'])
      expect(rows.reduce((sum, row) => sum + row[name], 0) / rows.length).toBeCloseTo(
        report.metrics[name],
        9,
      );
  });

  it('scores with frequencies that were saved as with those of the references', async () => {
    const saveFrequencies = join(folder, 'frequencies.json');
    const [whole] = await scoreFiles({ ...ready, metrics: 'cider', saveFrequencies });
    const [again] = await scoreFiles({ ...ready, metrics: 'cider', frequencies: saveFrequencies });
    expect(again.metrics).toEqual(whole.metrics);
    const part = {
      ...ready,
      candidates: [write(folder, 'p.jsonl', captionsOf(items.slice(0, 20)))],
    };
    const some = { ...part, metrics: 'cider', allowMissing: true };
    const [alone] = await scoreFiles(some);
    const [widely] = await scoreFiles({ ...some, frequencies: saveFrequencies });
    expect(alone.n).toBe(20);
    expect(widely.metrics.CIDEr).not.toBeCloseTo(alone.metrics.CIDEr, 3);
  });

  it('compares systems with the first', async () => {
    const worse = items.map((item, i) => ({ ...item, candidate: items[(i + 1) % 60].candidate }));
    const both = [...candidates, write(folder, 'worse.jsonl', captionsOf(worse))];
    const reports = await scoreFiles({
      ...ready,
      candidates: both,
      metrics: 'cider',
      bootstrap: 200,
    });
    const { comparison } = reports[1];
    expect(comparison?.baseline).toBe(reports[0].system);
    expect(comparison?.differences.CIDEr.high).toBeLessThan(0);
    expect(comparison?.differences.CIDEr.p_value).toBeLessThan(0.05);
    expect(reports[0].comparison).toBeUndefined();
  });

  it('warns of what is unusual, by image', async () => {
    const odd = items.map((item, i) => (i === 4 ? { ...item, candidate: '' } : item));
    const warnings: string[] = [];
    await scoreFiles({
      ...ready,
      metrics: 'bleu',
      candidates: [write(folder, 'odd.jsonl', captionsOf(odd))],
      onWarning: (warning) => warnings.push(warning),
    });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`image ${items[4].id}`);
  });

  it('writes nothing where something is wrong', async () => {
    const perImage = join(folder, 'never.jsonl');
    const few = [write(folder, 'few.jsonl', captionsOf(items.slice(1)))];
    await expect(scoreFiles({ ...ready, candidates: few, perImage })).rejects.toThrow(
      String(items[0].id),
    );
    await expect(scoreFiles({ ...ready, perImage: join(folder, 'x.txt') })).rejects.toThrow(
      "the file's ending says its format",
    );
    const stop = AbortSignal.abort(new Error('enough'));
    await expect(scoreFiles({ ...ready, perImage, signal: stop })).rejects.toThrow('enough');
    expect(existsSync(perImage)).toBe(false);
  });
});
