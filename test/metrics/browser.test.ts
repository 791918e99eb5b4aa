/** The metrics in a browser: bundled for one, and run where no global of Node exists. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import type { SystemScores } from '../../src/metrics/index.ts';
import { type Item, metricFixture } from '../data/caption-files.ts';
import { repositoryRoot } from '../paths.ts';

/** What the page does: everything through src/metrics, the data of METEOR handed in. */
const page = `
  import { decodeMeteorData, scoreCorpus } from './src/metrics/index.ts';
  result = scoreCorpus(
    items.map(({ candidate }) => candidate),
    items.map(({ references }) => references),
    { meteorData: () => decodeMeteorData(meteorData), perImage: true, bootstrap: 20 },
  );
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
    // A bare context: ECMAScript and what every browser has besides.
    const browser = { TextDecoder, TextEncoder, setTimeout, performance };
    const context = createContext({ items, meteorData, result: undefined, ...browser });
    expect(runInContext('typeof process + typeof Buffer + typeof require', context)).toBe(
      'undefinedundefinedundefined',
    );
    runInContext(outputFiles[0].text, context);
    const { scores, images, intervals }: SystemScores = await context.result;
    expect(scores.Bleu_4).toBeCloseTo(corpus.coco.Bleu_4, 9);
    expect(scores.CIDEr).toBeCloseTo(corpus.coco.CIDEr, 9);
    expect(scores.ROUGE_L).toBeCloseTo(corpus.coco.ROUGE_L, 9);
    expect(scores.METEOR).toBeCloseTo(corpus.coco.METEOR_exact_stem_synonym, 9);
    expect(scores.rouge1).toBeGreaterThan(0.5);
    expect(images).toHaveLength(items.length);
    expect(intervals?.CIDEr.low).toBeLessThan(scores.CIDEr);
  });
});
