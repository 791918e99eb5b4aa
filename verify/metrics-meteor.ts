/** Compares METEOR, its stemmers and NLTK's METEOR with reference data. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  createMeteor,
  decodeMeteorData,
  type Meteor,
  type MeteorData,
  type ParaphraseTable,
  parseParaphraseTable,
  toCorpusStatistics,
} from '../src/metrics/meteor/meteor.ts';
import { createNltkMeteor } from '../src/metrics/meteor/nltk.ts';
import { englishStem } from '../src/metrics/words/stem-english.ts';
import { porterStem } from '../src/metrics/words/stem-porter.ts';
import { splitWords } from '../src/metrics/words/words.ts';
import type { Comparisons } from './comparisons.ts';
import type { Corpus, Layouts } from './metrics-schema.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const tableName = 'synthetic-paraphrase-en.gz';

let data: MeteorData | undefined;

function wordNet(): MeteorData {
  data ??= decodeMeteorData(gunzipSync(readFileSync(join(root, 'data/meteor-en.bin.gz'))));
  return data;
}

function meteor(paraphrases?: ParaphraseTable): Meteor {
  return createMeteor(wordNet(), paraphrases);
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
      const where = `${path} ${id}`;
      if (score in coco) comparisons.number(name, where, metric.score(computed), coco[score]);
      if (statistics in coco) {
        const expected = `${coco[statistics]}`.trim().split(/\s+/).map(Number);
        comparisons.numbers(`${name} statistics`, where, computed, expected);
      }
      for (const [index, value] of toCorpusStatistics(computed).entries()) sums[index] += value;
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

/** NLTK's METEOR of PTB tokens and of the text in lower case split at white space. */
export function compareNltkMeteor(
  { corpus, items }: Corpus,
  path: string,
  comparisons: Comparisons,
): void {
  if (!corpus.nltk_meteor && items.every((item) => !item.nltk_meteor)) return;
  const nltk = createNltkMeteor(wordNet());
  const lowered = (text: string) => splitWords(text.toLowerCase());
  const sums: Record<string, number> = {};
  for (const { id, candidate, references, ptb, nltk_meteor: expected = {} } of items) {
    const words = splitWords(ptb.candidate);
    const single = ptb.references.map((text) => nltk.score(words, [splitWords(text)]));
    const scores: Record<string, number> = {
      ptb_tokens: Math.max(0, ...single),
      lower_whitespace: nltk.score(lowered(candidate), references.map(lowered)),
      ptb_tokens_mean_over_refs: single.reduce((sum, score) => sum + score, 0) / single.length,
    };
    for (const [key, score] of Object.entries(scores)) {
      sums[key] = (sums[key] ?? 0) + score;
      if (key in expected) {
        comparisons.number("NLTK's METEOR", `${path} ${id} ${key}`, score, expected[key]);
      }
    }
  }
  for (const [key, expected] of Object.entries(corpus.nltk_meteor ?? {})) {
    const name = "NLTK's METEOR (corpus)";
    comparisons.number(name, `${path} ${key}`, sums[key] / items.length, expected);
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
