/** Scores a chunk of images: what a worker does, and this thread for small inputs. */

import type { DocumentFrequencyTable } from '../document-frequencies.ts';
import type { MeteorData } from '../meteor/data.ts';
import type { ParaphraseTable } from '../meteor/paraphrases.ts';
import { type ImageMetricName, imageMetrics, type MetricResources } from '../registry.ts';
import type { Surroundings } from '../tokenizer/tokenizer.ts';
import type { CaptionedImage, Metric } from '../types.ts';
import { statisticsLayout } from './layout.ts';
import { type PackedTexts, packTexts, unpackTexts } from './packed-texts.ts';
import type { TaskHandler } from './runner.ts';
import { type UnusualCaptions, UnusualCounter } from './unusual.ts';

/** Which parts of the input are tokens already. */
export interface Tokenized {
  candidates: boolean;
  references: boolean;
}

export interface ScorerSetup {
  metrics: readonly ImageMetricName[];
  tokenized: Tokenized;
  paraphrases?: ParaphraseTable | undefined;
  /** What CIDEr weighs n-grams by. */
  frequencies?: DocumentFrequencyTable | undefined;
  /** Whether results shall hold the tokenized captions. */
  returnTokens: boolean;
}

export interface ChunkTask {
  /** The chunk's references, those of an image side by side. */
  references: PackedTexts;
  /** References `first[i]` to `first[i + 1]` belong to image i of the chunk. */
  first: Int32Array<ArrayBuffer>;
  /** For each system its captions of the images. */
  candidates: readonly PackedTexts[];
  /** What stands around the captions in the corpus, for the tokenizer; absent where they are tokens. */
  around?: { references: Surroundings; candidates: readonly Surroundings[] };
}

export interface ChunkResult {
  /** For each system the images' rows of statistics. */
  rows: Float64Array<ArrayBuffer>[];
  /** The same task with tokenized texts, if the setup asked for it. */
  tokens: ChunkTask | undefined;
  /** For each system, then for the references: captions that deserve a warning. */
  unusual: UnusualCaptions[];
}

export function chunkBuffers({ references, first, candidates }: ChunkTask): ArrayBuffer[] {
  const packed = [references, ...candidates].flatMap(({ bytes, ends }) => [bytes, ends]);
  return [...packed, first].map((array) => array.buffer);
}

export class ChunkScorer implements TaskHandler<ScorerSetup, ChunkTask, ChunkResult> {
  readonly #meteorData: () => MeteorData;
  #setup: ScorerSetup | undefined;
  #metrics: readonly Metric[] = [];
  /** Undefined where no metric reads tokens. */
  #tokenize: ((captions: readonly string[], around?: Surroundings) => string[]) | undefined;

  /** @param meteorData WordNet for METEOR, called when it is first wanted */
  constructor(meteorData: () => MeteorData) {
    this.#meteorData = meteorData;
  }

  async setUp(setup: ScorerSetup): Promise<void> {
    const { paraphrases, tokenized } = setup;
    let frequencies: MetricResources['frequencies'];
    if (setup.frequencies) {
      const { DocumentFrequencies } = await import('../document-frequencies.ts');
      frequencies = DocumentFrequencies.fromTable(setup.frequencies);
    }
    this.#metrics = await Promise.all(
      setup.metrics.map((name) =>
        imageMetrics[name].create({ frequencies, paraphrases, meteorData: this.#meteorData }),
      ),
    );
    const needed =
      setup.returnTokens || setup.metrics.some((name) => imageMetrics[name].reads === 'tokens');
    this.#tokenize = undefined;
    if (needed && !(tokenized.candidates && tokenized.references)) {
      const { tokenizeCaptions } = await import('../tokenizer/tokenizer.ts');
      this.#tokenize = tokenizeCaptions;
    }
    this.#setup = setup;
  }

  run(task: ChunkTask): ChunkResult {
    if (!this.#setup) throw new Error('a chunk came before the setup');
    const { tokenized, returnTokens } = this.#setup;
    const tokens = (texts: string[], isDone: boolean, around?: Surroundings): string[] =>
      isDone || !this.#tokenize ? texts : this.#tokenize(texts, around);
    const references = unpackTexts(task.references);
    const referenceTokens = tokens(references, tokenized.references, task.around?.references);
    const candidates = task.candidates.map(unpackTexts);
    const candidateTokens = candidates.map((texts, system) =>
      tokens(texts, tokenized.candidates, task.around?.candidates[system]),
    );
    const rows = candidates.map((texts, system) => {
      const images = texts.map((candidate, i): CaptionedImage => {
        const [from, to] = [task.first[i], task.first[i + 1]];
        return {
          candidate,
          references: references.slice(from, to),
          tokenized: {
            candidate: candidateTokens[system][i],
            references: referenceTokens.slice(from, to),
          },
        };
      });
      return this.#count(images);
    });
    const tokenTask = returnTokens
      ? {
          references: packTexts(referenceTokens),
          first: task.first,
          candidates: candidateTokens.map(packTexts),
        }
      : undefined;
    const unusual = [...candidates, references].map((texts) => UnusualCounter.of(texts));
    return { rows, tokens: tokenTask, unusual };
  }

  transfers({ rows, tokens }: ChunkResult): ArrayBuffer[] {
    return [...rows.map(({ buffer }) => buffer), ...(tokens ? chunkBuffers(tokens) : [])];
  }

  #count(images: readonly CaptionedImage[]): Float64Array<ArrayBuffer> {
    const { offsets, width } = statisticsLayout(this.#metrics);
    const rows = new Float64Array(images.length * width);
    images.forEach((image, i) => {
      this.#metrics.forEach((metric, m) => {
        metric.statistics(image, rows, i * width + offsets[m]);
      });
    });
    return rows;
  }
}
