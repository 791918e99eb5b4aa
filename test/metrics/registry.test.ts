/** The registry's rows: complete, and the same in the docs and in the metrics themselves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withMetricsTable } from '../../scripts/metrics-table.ts';
import { loadMeteorData } from '../../src/data/text/meteor-data.ts';
import { DocumentFrequencies } from '../../src/metrics/document-frequencies.ts';
import {
  defaultMetrics,
  imageMetricNames,
  imageMetrics,
  metricRows,
  scoreHeading,
} from '../../src/metrics/registry.ts';
import { repositoryRoot } from '../paths.ts';

describe('the registry', () => {
  it('is the table of docs/metrics.md', () => {
    const page = readFileSync(join(repositoryRoot, 'docs/metrics.md'), 'utf8');
    expect(page).toBe(withMetricsTable(page));
  });

  it('has no score twice', () => {
    const scores = Object.values(metricRows).flatMap((row) => row.scores);
    expect(new Set(scores).size).toBe(scores.length);
  });

  it.each(imageMetricNames)('says of %s what its metric says', async (name) => {
    const row = imageMetrics[name];
    const scoring = await row.scoring();
    const metric = await row.create({
      frequencies: new DocumentFrequencies(),
      meteorData: loadMeteorData,
    });
    expect(scoring.names).toEqual(row.scores);
    expect(metric.names).toEqual(row.scores);
    expect(metric.width).toBe(scoring.width);
  });

  it.each(imageMetricNames)('says of %s what it reads', async (name) => {
    const { create, reads } = imageMetrics[name];
    const frequencies = new DocumentFrequencies();
    frequencies.add(['a dog', 'a cat']);
    frequencies.add(['a bus']);
    const metric = await create({ frequencies, meteorData: loadMeteorData });
    const texts = { candidate: 'a dog', references: ['a cat'] };
    const statistics = (text: object, tokenized: object) => {
      const row = new Float64Array(metric.width);
      metric.statistics({ ...texts, ...text, tokenized: { ...texts, ...tokenized } }, row, 0);
      return [...row];
    };
    const other = { candidate: 'a cat here', references: ['a cat'] };
    const [same, text, tokens] = [statistics({}, {}), statistics(other, {}), statistics({}, other)];
    expect(tokens).not.toEqual(reads === 'tokens' ? same : text);
    expect(reads === 'tokens' ? text : tokens).toEqual(same);
  });

  it('says in headings what was not given', () => {
    expect(scoreHeading('METEOR')).toBe('METEOR (no paraphrases)');
    expect(scoreHeading('METEOR', ['paraphrases'])).toBe('METEOR');
    expect(scoreHeading('CIDEr')).toBe('CIDEr');
    expect(defaultMetrics).toBe('bleu,meteor,rouge-l,cider,rouge,sacrebleu,diversity');
  });
});
