/** Compares the metrics with values that the reference programs gave: a file, or all files of a folder. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Diversity } from '../src/metrics/diversity.ts';
import {
  createBleu,
  createCider,
  createRougeL,
  createSacreBleu,
  DocumentFrequencies,
} from '../src/metrics/index.ts';
import { bestRouge, RougeScorer, rougeTypes } from '../src/metrics/rouge.ts';
import { sacreBleuFrom } from '../src/metrics/sacrebleu.ts';
import { ptbTokens, tokenizeCaptions } from '../src/metrics/tokenizer/tokenizer.ts';
import type { CaptionedImage, Metric } from '../src/metrics/types.ts';
import { Comparisons } from './comparisons.ts';
import {
  compareMeteor,
  compareNltkMeteor,
  comparePublished,
  compareStems,
} from './metrics-meteor.ts';
import { type Corpus, type Layouts, recognise } from './metrics-schema.ts';

const tolerance = 1e-6;

/** Names that differ in the reference data. */
const names: Readonly<Record<string, string>> = { CIDEr_plain: 'CIDEr_plain_noClip_noLen' };

/** @returns 0 if all values agree, 1 if some do not or there are none, 2 without a path. */
export async function run(paths: readonly string[]): Promise<number> {
  if (paths.length === 0) {
    console.error('Usage: npm run verify -- metrics FILE|FOLDER ...');
    return 2;
  }
  const comparisons = new Comparisons(tolerance);
  let broken = false;
  for (const path of paths.flatMap(jsonFiles)) {
    const problem = verifyFile(path, comparisons);
    if (problem === undefined) continue;
    console.error(`${path} ${problem}`);
    broken = true;
  }
  return comparisons.report() && !broken ? 0 : 1;
}

function jsonFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(path, name));
}

/** Returns what is wrong with the file, if it is no reference data. */
function verifyFile(path: string, comparisons: Comparisons): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  }
  const found = recognise(json);
  if (typeof found === 'string') return found;
  if (found.layout === 'corpus') compareCorpus(found.data, path, comparisons);
  else if (found.layout === 'corpora') {
    for (const [index, data] of found.data.corpora.entries()) {
      compareCorpus(data, `${path} corpora[${index}]`, comparisons);
    }
  } else if (found.layout === 'ptb') comparePtb(found.data, path, comparisons);
  else if (found.layout === 'stems') compareStems(found.data, path, comparisons);
  else comparePublished(found.data, path, comparisons);
  return undefined;
}

function compareCorpus(data: Corpus, path: string, comparisons: Comparisons): void {
  const images = data.items.map(({ candidate, references, ptb }) => ({
    candidate,
    references,
    tokenized: ptb,
  }));
  compareTokens(data, path, comparisons);
  const frequencies = new DocumentFrequencies();
  for (const { tokenized } of images) frequencies.add(tokenized.references);
  for (const metric of [createBleu(), createRougeL(), createCider(frequencies)]) {
    compareMetric(metric, data, images, path, comparisons);
  }
  compareSacreBleu(data, images, path, comparisons);
  compareRouge(data, path, comparisons);
  compareDiversity(data, path, comparisons);
  compareMeteor(data, path, comparisons);
  compareNltkMeteor(data, path, comparisons);
}

/** Statistics of each image, and their sum. */
function count(metric: Metric, images: readonly CaptionedImage[]) {
  const sums = new Float64Array(metric.width);
  const rows = images.map((image) => {
    const row = new Float64Array(metric.width);
    metric.statistics(image, row, 0);
    for (const [index, value] of row.entries()) sums[index] += value;
    return row;
  });
  return { rows, sums };
}

/** A metric of the COCO evaluation, for each image and for the corpus. */
function compareMetric(
  metric: Metric,
  data: Corpus,
  images: readonly CaptionedImage[],
  path: string,
  comparisons: Comparisons,
): void {
  const { rows, sums } = count(metric, images);
  const scores = metric.scores(sums, images.length);
  for (const [position, name] of metric.names.entries()) {
    const key = names[name] ?? name;
    for (const [index, { id, coco }] of data.items.entries()) {
      if (!(key in coco)) continue;
      const computed = metric.scores(rows[index], 1)[position];
      comparisons.number(name, `${path} ${id}`, computed, coco[key]);
    }
    const expected = data.corpus.coco[key];
    if (expected !== undefined) {
      comparisons.number(`${name} (corpus)`, path, scores[position], expected);
    }
  }
}

function compareTokens({ items }: Corpus, path: string, comparisons: Comparisons): void {
  const captions = items.map((item) => [item.candidate, item.ptb.candidate] as const);
  const references = items.flatMap((item) =>
    item.references.map((text, index) => [text, item.ptb.references[index]] as const),
  );
  // References that all are their own tokens were given tokenized, which is not to be repeated.
  const given = references.every(([text, expected]) => text === expected);
  for (const list of given ? [captions] : [captions, references]) {
    const computed = tokenizeCaptions(list.map(([text]) => text));
    for (const [index, [text, expected]] of list.entries()) {
      const where = `${path} ${JSON.stringify(text.slice(0, 60))}`;
      comparisons.text('tokens', where, computed[index], expected);
    }
  }
}

function comparePtb({ items }: Layouts['ptb'], path: string, comparisons: Comparisons): void {
  const tokens = tokenizeCaptions(items.map(({ raw }) => raw));
  for (const [index, { raw, java, coco }] of items.entries()) {
    const where = `${path} items[${index}]`;
    const next = items[index + 1]?.raw;
    const withPunctuation = ptbTokens(raw, next === undefined ? '' : `\n${next}\n`);
    comparisons.text('tokens with punctuation', where, withPunctuation.join(' '), java);
    comparisons.text('tokens', where, tokens[index], coco);
  }
}

function compareSacreBleu(
  { corpus, items }: Corpus,
  images: readonly CaptionedImage[],
  path: string,
  comparisons: Comparisons,
): void {
  const { rows, sums } = count(createSacreBleu(), images);
  for (const [index, { id, sacrebleu_sentence: expected }] of items.entries()) {
    if (expected === undefined) continue;
    const { score } = sacreBleuFrom(rows[index], true);
    comparisons.number('sacreBLEU', `${path} ${id}`, score, expected);
  }
  const expected = corpus.sacrebleu_corpus;
  if (!expected) return;
  const result = sacreBleuFrom(sums, false);
  const { score, brevityPenalty, systemLength, referenceLength } = result;
  comparisons.numbers(
    'sacreBLEU (corpus)',
    path,
    [score, ...result.precisions, brevityPenalty, systemLength, referenceLength],
    [expected.score, ...expected.precisions, expected.bp, expected.sys_len, expected.ref_len],
  );
}

function compareRouge({ corpus, items }: Corpus, path: string, comparisons: Comparisons): void {
  for (const kind of ['nostem', 'stem'] as const) {
    const scorer = new RougeScorer({ stem: kind === 'stem' });
    const scored = items.map((item) => scorer.score(item.candidate, item.references));
    for (const type of rougeTypes) {
      const name = kind === 'stem' ? `${type}_stem` : type;
      const sums = { max_f: 0, mean_f: 0, first_reference_f: 0 };
      for (const [index, item] of items.entries()) {
        const scores = scored[index].map((byType) => byType[type]);
        const best = bestRouge(scores);
        const mean = scores.reduce((sum, { f }) => sum + f, 0) / scores.length;
        sums.max_f += best.f;
        sums.mean_f += mean;
        sums.first_reference_f += scores[0].f;
        const expected = item.rouge_score?.[kind][type];
        if (!expected) continue;
        const { p, r, f } = expected.max;
        comparisons.numbers(
          name,
          `${path} ${item.id}`,
          [best.precision, best.recall, best.f, mean, ...scores.map((score) => score.f)],
          [p, r, f, expected.mean_f, ...expected.per_reference_f],
        );
      }
      const expected = corpus.rouge_score?.[kind][type];
      for (const [key, sum] of Object.entries(sums)) {
        if (expected?.[key] === undefined) continue;
        comparisons.number(`${name} (corpus)`, `${path} ${key}`, sum / items.length, expected[key]);
      }
    }
  }
}

function compareDiversity({ corpus, items }: Corpus, path: string, comparisons: Comparisons): void {
  const expected = corpus.diversity_ptb_tokens;
  if (!expected) return;
  const diversity = new Diversity();
  for (const { ptb } of items) diversity.add(ptb.candidate);
  const result = diversity.result();
  const computed: Record<string, number> = {
    distinct_1: result.distinct[0],
    distinct_2: result.distinct[1],
    distinct_3: result.distinct[2],
    distinct_4: result.distinct[3],
    vocab: result.vocabulary,
    mean_len: result.meanLength,
    unique_captions: result.unique,
  };
  for (const [key, value] of Object.entries(expected)) {
    if (key in computed) comparisons.number('diversity', `${path} ${key}`, computed[key], value);
  }
}
