/** Compares METEOR, its stemmers and NLTK's METEOR with reference data. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  createMeteor,
  decodeMeteorData,
  type Meteor,
  type ParaphraseTable,
  parseParaphraseTable,
} from '../src/metrics/meteor.ts';
import { englishStem } from '../src/metrics/stem-english.ts';
import { porterStem } from '../src/metrics/stem-porter.ts';
import type { Comparisons } from './comparisons.ts';
import type { Corpus, Layouts } from './metrics-schema.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const tableName = 'synthetic-paraphrase-en.gz';

let data: ReturnType<typeof decodeMeteorData> | undefined;

function meteor(paraphrases?: ParaphraseTable): Meteor {
  data ??= decodeMeteorData(gunzipSync(readFileSync(join(root, 'data/meteor-en.bin.gz'))));
  return createMeteor(data, paraphrases);
}

/** The paraphrase table of the reference data: beside them, or the one among the tests' fixtures. */
function syntheticTable(path: string): ParaphraseTable {
  const beside = join(dirname(path), tableName);
  const file = existsSync(beside) ? beside : join(root, 'test/fixtures/metrics', tableName);
  return parseParaphraseTable(gunzipSync(readFileSync(file)).toString('utf8'));
}

/** The two settings of METEOR in the data: names of the score and of its statistics. */
const settings = [
  { score: 'METEOR_exact_stem_synonym', statistics: 'METEOR_stats', table: false },
  {
    score: 'METEOR_with_synthetic_paraphrase_table',
    statistics: 'METEOR_stats_synthetic_paraphrase',
    table: true,
  },
];

export function compareMeteor(
  { corpus, items }: Corpus,
  path: string,
  comparisons: Comparisons,
): void {
  for (const { score, statistics, table } of settings) {
    if (!(score in corpus.coco) && !items.some(({ coco }) => score in coco || statistics in coco)) {
      continue;
    }
    const name = table ? 'METEOR with paraphrases' : 'METEOR';
    const metric = meteor(table ? syntheticTable(path) : undefined);
    const sums = new Float64Array(23);
    for (const { id, ptb, coco } of items) {
      const computed = metric.statistics(ptb.candidate, ptb.references);
      for (const [index, value] of computed.entries()) sums[index] += value;
      const where = `${path} ${id}`;
      if (score in coco) comparisons.number(name, where, metric.score(computed), coco[score]);
      if (!(statistics in coco)) continue;
      const expected = `${coco[statistics]}`.trim().split(/\s+/).map(Number);
      comparisons.numbers(`${name} statistics`, where, computed, expected);
    }
    const expected = corpus.coco[score];
    if (expected === undefined) continue;
    comparisons.number(`${name} (corpus)`, path, metric.score(sums), expected);
  }
}

/** Published values of raw segments, which are compared to as many digits as were published. */
export function comparePublished(
  { items }: Layouts['meteor'],
  path: string,
  comparisons: Comparisons,
): void {
  for (const {
    source,
    refs,
    hyps,
    METEOR,
    needs_paraphrase_table: table,
    without_table,
  } of items) {
    const expected = table ? without_table : METEOR;
    if (expected === undefined) continue;
    const metric = meteor();
    const sums = new Float64Array(23);
    for (const [index, candidate] of hyps.entries()) {
      for (const [at, value] of metric.statistics(candidate, refs[index]).entries())
        sums[at] += value;
    }
    const digits = Math.min(20, `${expected}`.split('.')[1]?.length ?? 0);
    const computed = Number(metric.score(sums).toFixed(digits));
    comparisons.number('METEOR (published)', `${path} ${source}`, computed, expected);
  }
}

export function compareStems(
  { items }: Layouts['stems'],
  path: string,
  comparisons: Comparisons,
): void {
  for (const [word, [english, porter]] of Object.entries(items)) {
    comparisons.text('stems (Snowball English)', `${path} ${word}`, englishStem(word), english);
    comparisons.text('stems (Porter)', `${path} ${word}`, porterStem(word), porter);
  }
}
