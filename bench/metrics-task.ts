/** One measurement of the metrics in a process of its own: prints its seconds and peak memory as JSON. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { createBleu } from '../src/metrics/bleu.ts';
import { createCider } from '../src/metrics/cider.ts';
import { DocumentFrequencies } from '../src/metrics/document-frequencies.ts';
import { createMeteorMetric, decodeMeteorData } from '../src/metrics/meteor/meteor.ts';
import { createRouge } from '../src/metrics/rouge.ts';
import { createRougeL } from '../src/metrics/rouge-l.ts';
import { tokenizeCaptions } from '../src/metrics/tokenizer/tokenizer.ts';
import type { CaptionedImage, Metric } from '../src/metrics/types.ts';

interface Captions {
  candidate: string;
  references: string[];
}

/** Candidates and references tokenized as one text each. */
function tokenized(images: readonly Captions[]): CaptionedImage[] {
  const candidates = tokenizeCaptions(images.map(({ candidate }) => candidate));
  const references = tokenizeCaptions(images.flatMap((image) => image.references));
  let at = 0;
  return images.map((image, i) => {
    const first = at;
    at += image.references.length;
    return {
      ...image,
      tokenized: { candidate: candidates[i], references: references.slice(first, at) },
    };
  });
}

/** The corpus' scores, without keeping the statistics of images. */
function score(metric: Metric, images: readonly CaptionedImage[]): number[] {
  const sums = new Float64Array(metric.width);
  const row = new Float64Array(metric.width);
  for (const image of images) {
    metric.statistics(image, row, 0);
    for (const [index, value] of row.entries()) sums[index] += value;
  }
  return metric.scores(sums, images.length);
}

function cider(images: readonly CaptionedImage[]): number[] {
  const frequencies = new DocumentFrequencies();
  for (const { tokenized } of images) frequencies.add(tokenized.references);
  return score(createCider(frequencies), images);
}

function meteor(images: readonly CaptionedImage[]): number[] {
  const file = fileURLToPath(new URL('../data/meteor-en.bin.gz', import.meta.url));
  return score(createMeteorMetric(decodeMeteorData(gunzipSync(readFileSync(file)))), images);
}

/** Each from tokens, as the reference programs' functions. */
const metrics: Readonly<Record<string, (images: readonly CaptionedImage[]) => number[]>> = {
  BLEU: (images) => score(createBleu(), images),
  'ROUGE-L': (images) => score(createRougeL(), images),
  CIDEr: cider,
  METEOR: meteor,
  rouge_score: (images) => score(createRouge(), images),
};

const [task = '', file = ''] = process.argv.slice(2);
const captions = JSON.parse(readFileSync(file, 'utf8')) as Captions[];
const images = task === 'tokenizer' || task === 'all' ? [] : tokenized(captions);
const start = performance.now();
const cpuBefore = process.cpuUsage();
let scores: number[] = [];
if (task === 'tokenizer') tokenized(captions);
else if (task === 'all') {
  const all = tokenized(captions);
  scores = Object.values(metrics).flatMap((run) => run(all));
} else scores = metrics[task](images);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, peakMiB, scores }));
