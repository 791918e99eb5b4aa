/** Captions without pictures: read once, drawn for each step with concepts that stand in for the picture. */
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { createRandom } from '../../base/random.ts';
import { forEachLine, openText } from '../../data/captions/source.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import type { SpokenWords } from '../concepts/fit.ts';
import { type ConceptNoise, textConcepts } from '../concepts/texts.ts';
import { type EncodedCaption, type TextBatch, textBatch } from './batches.ts';

const rowSchema = z.looseObject({ captions: z.array(z.string()).nonempty() });

/** The captions of one thing a line, JSON with `captions`; the file may be gzipped. @throws InputError naming the line */
export async function readTexts(path: string): Promise<string[][]> {
  const rows: string[][] = [];
  await forEachLine(await openText(path), (line, number) => {
    if (line.trim() !== '') rows.push(parseRow(line, `${path}, line ${number}`));
  });
  return rows;
}

function parseRow(line: string, place: string): string[] {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new InputError(
      `${place}: this is not JSON; give JSON lines such as {"captions": ["a dog", "a dog runs"]}.`,
    );
  }
  const row = rowSchema.safeParse(json);
  if (!row.success)
    throw new InputError(
      `${place}: there are no captions; give JSON lines such as {"captions": ["a dog", "a dog runs"]}.`,
    );
  return row.data.captions;
}

/** Texts of a step. */
export interface FedTexts {
  readonly text: TextBatch;
  readonly concepts: Readonly<Record<string, Tensor>>;
}

export interface TextFeedInput {
  readonly texts: readonly (readonly string[])[];
  readonly noise: ConceptNoise;
  readonly batchSize: number;
  /** Captions of a text in a step. */
  readonly captions: number;
  readonly padId: number;
  encode(caption: string): EncodedCaption;
  spoken(captions: readonly string[]): SpokenWords;
}

/** What a step is taught by texts, from its seed alone. */
export type TextFeed = (seed: number) => FedTexts;

export function textFeed(input: TextFeedInput): TextFeed {
  const { texts, noise, batchSize, captions, padId } = input;
  const { tokens } = noise;
  return (seed) => {
    const random = createRandom(seed);
    const words = new Int32Array(batchSize * tokens * 2);
    const probabilities = new Float32Array(batchSize * tokens);
    const chosen = Array.from({ length: batchSize }, (_, i) => {
      const own = texts[random.integer(texts.length)];
      const shown = textConcepts(noise, input.spoken(own), random);
      words.set(shown.words, i * tokens * 2);
      probabilities.set(shown.probabilities, i * tokens);
      const start = random.integer(own.length);
      const taken = Math.min(captions, own.length);
      return Array.from({ length: taken }, (_, j) => input.encode(own[(start + j) % own.length]));
    });
    return {
      text: textBatch(chosen, padId),
      concepts: {
        conceptWords: tensor('i32', [batchSize, tokens, 2], words),
        conceptProbabilities: tensor('f32', [batchSize, tokens], probabilities),
      },
    };
  };
}
