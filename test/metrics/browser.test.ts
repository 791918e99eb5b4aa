/** The metrics in a browser: bundled for one, and run where no global of Node exists. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { type Item, metricFixture } from '../data/caption-files.ts';
import { repositoryRoot } from '../paths.ts';

/** What the page does: everything through src/metrics, the data of METEOR handed in. */
const page = `
  import { createBleu, createCider, createRougeL, createRouge, DocumentFrequencies, tokenizeCaption } from './src/metrics/index.ts';
  import { createMeteorMetric, decodeMeteorData } from './src/metrics/meteor/meteor.ts';
  const images = items.map(({ candidate, references }) => ({
    candidate,
    references,
    tokenized: { candidate: tokenizeCaption(candidate), references: references.map((text) => tokenizeCaption(text)) },
  }));
  const frequencies = new DocumentFrequencies();
  for (const { tokenized } of images) frequencies.add(tokenized.references);
  const metrics = [createBleu(), createRougeL(), createRouge(), createCider(frequencies), createMeteorMetric(decodeMeteorData(meteorData))];
  for (const metric of metrics) {
    const sums = new Float64Array(metric.width);
    for (const image of images) {
      const row = new Float64Array(metric.width);
      metric.statistics(image, row, 0);
      row.forEach((value, i) => { sums[i] += value; });
    }
    metric.scores(sums, images.length).forEach((score, i) => { scores[metric.names[i]] = score; });
  }
`;

describe('src/metrics in a browser', () => {
  it('bundles without Node and gives the same scores', async () => {
    const { outputFiles, warnings } = await build({
      stdin: { contents: page, resolveDir: repositoryRoot, loader: 'ts' },
      bundle: true,
      platform: 'browser',
      format: 'iife',
      target: 'es2022',
      write: false,
      logLevel: 'silent',
    });
    expect(warnings).toEqual([]);
    const { items, corpus } = metricFixture<{
      items: Item[];
      corpus: { coco: Record<string, number> };
    }>('edge_dev.json');
    const meteorData = new Uint8Array(
      gunzipSync(readFileSync(join(repositoryRoot, 'data/meteor-en.bin.gz'))),
    );
    const scores: Record<string, number> = {};
    // A bare context: ECMAScript and the two text coders that every browser has.
    const context = createContext({ items, meteorData, scores, TextDecoder, TextEncoder });
    expect(runInContext('typeof process + typeof Buffer + typeof require', context)).toBe(
      'undefinedundefinedundefined',
    );
    runInContext(outputFiles[0].text, context);
    expect(scores.Bleu_4).toBeCloseTo(corpus.coco.Bleu_4, 9);
    expect(scores.CIDEr).toBeCloseTo(corpus.coco.CIDEr, 9);
    expect(scores.ROUGE_L).toBeCloseTo(corpus.coco.ROUGE_L, 9);
    expect(scores.METEOR).toBeCloseTo(corpus.coco.METEOR_exact_stem_synonym, 9);
    expect(scores.rouge1).toBeGreaterThan(0.5);
  });
});
