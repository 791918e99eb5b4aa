/** The statistics of a corpus: chunks of images to the runner, their rows back, and sums of these. */

import type { StatisticsTable } from '../bootstrap.ts';
import { Diversity, type DiversityResult } from '../diversity.ts';
import { DocumentFrequencies, withoutSingles } from '../document-frequencies.ts';
import type { ParaphraseTable } from '../meteor/paraphrases.ts';
import { type ImageMetricName, imageMetrics } from '../registry.ts';
import {
  type ChunkResult,
  type ChunkTask,
  chunkBuffers,
  type ScorerSetup,
  type Tokenized,
} from './chunk-scorer.ts';
import { chunkSize, chunksOf } from './chunks.ts';
import { type Corpus, corpusOf } from './corpus.ts';
import { type Layout, statisticsLayout } from './layout.ts';
import { unpackTexts } from './packed-texts.ts';
import type { Runner } from './runner.ts';
import { UnusualCounter } from './unusual.ts';

export interface CountOptions {
  metrics: readonly ImageMetricName[];
  /** Measure the captions' variety. */
  diversity: boolean;
  /** The training set's captions, for the share of captions that are not among them. */
  training?: readonly string[] | undefined;
  tokenized: Tokenized;
  /** METEOR's paraphrase table. */
  paraphrases?: ParaphraseTable | undefined;
  /** CIDEr's document frequencies; from the corpus' own references where undefined. */
  frequencies?: DocumentFrequencies | undefined;
  /** Keep the statistics of each image, for intervals and per-image scores. */
  keepTables: boolean;
  /** Give back the document frequencies that were counted. */
  keepFrequencies: boolean;
  /** Told the share done, 0 to 1. */
  onProgress?: ((done: number) => void) | undefined;
}

export interface SystemStatistics {
  /** In the order of `layout.names`. */
  scores: number[];
  table: StatisticsTable | undefined;
  diversity: DiversityResult | undefined;
  unusual: UnusualCounter;
}

export interface CorpusStatistics {
  layout: Layout;
  systems: SystemStatistics[];
  unusualReferences: UnusualCounter;
  /** CIDEr's document frequencies of this corpus, where they were counted and wanted. */
  frequencies: DocumentFrequencies | undefined;
}

/** Whether a metric needs document frequencies. */
const waits = (name: ImageMetricName): boolean => imageMetrics[name].takes.includes('frequencies');

/** A chunk as it is counted: its rows may come later than the rest. */
export type CountedChunk = Omit<ChunkResult, 'rows'> & {
  rows: ChunkResult['rows'] | Promise<ChunkResult['rows']>;
};

/** Where chunks are counted. */
export type ScoreRunner = Runner<ScorerSetup, ChunkTask, CountedChunk>;

/**
 * Counts every system of `corpus` on all images.
 * CIDEr needs the document frequencies of all references first, so it is counted in a second pass
 * over the tokens of the first.
 * @param runner where chunks are counted; no result depends on it. It is closed at the end.
 */
export async function countCorpus(
  corpus: Corpus,
  options: CountOptions,
  runner: ScoreRunner,
): Promise<CorpusStatistics> {
  try {
    return await new CorpusCounter(corpus, options, runner).run();
  } finally {
    await runner.close();
  }
}

class CorpusCounter {
  readonly #corpus: Corpus;
  readonly #options: CountOptions;
  readonly #runner: ScoreRunner;
  /** The chunks with their captions tokenized, for the second pass. */
  readonly #tokens: ChunkTask[] = [];
  #counted: DocumentFrequencies | undefined;
  readonly #unusualReferences = new UnusualCounter();

  constructor(corpus: Corpus, options: CountOptions, runner: ScoreRunner) {
    this.#corpus = corpus;
    this.#options = options;
    this.#runner = runner;
    if (options.metrics.some(waits) && !options.frequencies)
      this.#counted = new DocumentFrequencies();
  }

  async run(): Promise<CorpusStatistics> {
    const { metrics, keepTables, training } = this.#options;
    // What has to wait for the document frequencies stands last in the rows.
    const first = metrics.filter((name) => !this.#counted || !waits(name));
    const second = metrics.filter((name) => this.#counted && waits(name));
    const scorings = await Promise.all(
      [...first, ...second].map((name) => imageMetrics[name].scoring()),
    );
    const layout = statisticsLayout(scorings);
    const firstWidth = statisticsLayout(scorings.slice(0, first.length)).width;
    const known = training && (await this.#tokenizedSet(training));
    const systems = Array.from(
      { length: this.#corpus.systems },
      () => new SystemSums(layout.width, keepTables ? this.#corpus.images : 0),
    );
    const variety = this.#options.diversity
      ? systems.map(() => new Diversity(known))
      : systems.map(() => undefined);
    const unusual = systems.map(() => new UnusualCounter());
    const addLate = await this.#firstPass(first, firstWidth, systems, variety, unusual);
    const frequencies = this.#options.keepFrequencies ? this.#counted : undefined;
    if (this.#counted)
      await this.#secondPass(second, firstWidth, layout.width - firstWidth, systems);
    await addLate();
    return {
      layout,
      systems: systems.map(({ sums, table }, s) => ({
        scores: layout.scores(sums, this.#corpus.images),
        table: table && { values: table, width: layout.width },
        diversity: variety[s]?.result(),
        unusual: unusual[s],
      })),
      unusualReferences: this.#unusualReferences,
      frequencies,
    };
  }

  /** @returns what adds the rows that come late, to be called when there is nothing else to do. */
  async #firstPass(
    metrics: readonly ImageMetricName[],
    width: number,
    systems: readonly SystemSums[],
    variety: readonly (Diversity | undefined)[],
    unusual: readonly UnusualCounter[],
  ): Promise<() => Promise<void>> {
    const { tokenized, paraphrases, frequencies, diversity } = this.#options;
    await this.#runner.setUp({
      metrics,
      tokenized,
      paraphrases,
      frequencies:
        frequencies && metrics.some(waits) ? withoutSingles(frequencies.table()) : undefined,
      returnTokens: diversity || this.#counted !== undefined,
    });
    const late: { rows: CountedChunk['rows']; image: number }[] = [];
    const add = (rows: ChunkResult['rows'], image: number): void =>
      systems.forEach((system, s) => {
        system.add(rows[s], image, 0, width);
      });
    let image = 0;
    for await (const { rows, tokens, unusual: found } of this.#runner.map(
      chunksOf(this.#corpus),
      chunkBuffers,
    )) {
      const images = Math.min(chunkSize, this.#corpus.images - image);
      if (rows instanceof Promise) late.push({ rows, image });
      else add(rows, image);
      unusual.forEach((counter, s) => {
        counter.add(found[s], images);
      });
      this.#unusualReferences.add(found[systems.length], this.#referenceCount(image, images));
      if (tokens) this.#readTokens(tokens, variety);
      image += images;
      this.#options.onProgress?.((image / this.#corpus.images) * (this.#counted ? 0.9 : 1));
    }
    return async () => {
      for (const { rows, image } of late) add(await rows, image);
    };
  }

  #readTokens(tokens: ChunkTask, variety: readonly (Diversity | undefined)[]): void {
    variety.forEach((diversity, s) => {
      if (diversity) for (const text of unpackTexts(tokens.candidates[s])) diversity.add(text);
    });
    if (!this.#counted) return;
    const references = unpackTexts(tokens.references);
    for (let i = 0; i + 1 < tokens.first.length; i++)
      this.#counted.add(references.slice(tokens.first[i], tokens.first[i + 1]));
    this.#tokens.push(tokens);
  }

  async #secondPass(
    metrics: readonly ImageMetricName[],
    offset: number,
    width: number,
    systems: readonly SystemSums[],
  ): Promise<void> {
    const frequencies = this.#counted && withoutSingles(this.#counted.table());
    // Of half a million images these are hundreds of megabytes, not needed any more.
    this.#counted = undefined;
    await this.#runner.setUp({
      metrics,
      tokenized: { candidates: true, references: true },
      frequencies,
      returnTokens: false,
    });
    let image = 0;
    for await (const { rows } of this.#runner.map(this.#tokens, chunkBuffers)) {
      const counted = await rows;
      systems.forEach((system, s) => {
        system.add(counted[s], image, offset, width);
      });
      image = Math.min(image + chunkSize, this.#corpus.images);
      this.#options.onProgress?.(0.9 + (image / this.#corpus.images) * 0.1);
    }
  }

  #referenceCount(image: number, images: number): number {
    let count = 0;
    for (let i = image; i < image + images; i++) count += this.#corpus.referenceCount(i);
    return count;
  }

  /** The distinct captions among `texts`, tokenized as the candidates are. */
  async #tokenizedSet(texts: readonly string[]): Promise<Set<string>> {
    const { tokenized } = this.#options;
    await this.#runner.setUp({ metrics: [], tokenized, returnTokens: true });
    const corpus = corpusOf(
      [texts],
      texts.map(() => []),
    );
    const set = new Set<string>();
    for await (const { tokens } of this.#runner.map(chunksOf(corpus), chunkBuffers)) {
      for (const text of tokens ? unpackTexts(tokens.candidates[0]) : []) set.add(text);
    }
    return set;
  }
}

/** One system's statistics: always their sums, on demand every row. */
class SystemSums {
  readonly sums: Float64Array;
  readonly table: Float64Array | undefined;

  constructor(width: number, keptImages: number) {
    this.sums = new Float64Array(width);
    this.table = keptImages > 0 ? new Float64Array(width * keptImages) : undefined;
  }

  /** Adds the columns `offset` to `offset + width` of the rows of images from `image` on. */
  add(rows: Float64Array, image: number, offset: number, width: number): void {
    const rowWidth = this.sums.length;
    for (let at = 0; at < rows.length; at += width, image++) {
      for (let i = 0; i < width; i++) this.sums[offset + i] += rows[at + i];
      this.table?.set(rows.subarray(at, at + width), image * rowWidth + offset);
    }
  }
}
