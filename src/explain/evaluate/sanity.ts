/**
 * Do maps depend on the model and on the caption (Adebayo et al. 2018)? They are compared with maps of the model whose
 * layers' weights are shuffled, from the last one down, and with maps of the same picture under another's caption.
 */
import { createRandom, shuffle } from '../../base/random.ts';
import type { Captioner } from '../../caption/captioner.ts';
import type { PreparedImage } from '../../caption/prepare.ts';
import type { ReadableWeights } from '../../generation/open-graph.ts';
import { sumOfMaps } from '../explanation.ts';
import { methods } from '../methods/methods.ts';
import type { MethodName } from '../methods/names.ts';
import { ExplainedModel } from '../model.ts';
import { explainedModel } from '../threads/explainer.ts';
import { storedMembers } from '../threads/stored-members.ts';
import { wordPieces } from '../words.ts';
import { isContentWord, sceneOf } from './scenes.ts';
import { rankCorrelation, type Share } from './statistics.ts';

/** What is shuffled at each stage, beside what was before. */
export function stagesOf({ config }: Captioner): { name: string; shuffles: RegExp }[] {
  const layers = config.text_config.num_hidden_layers;
  const from = (first: number): string =>
    Array.from({ length: layers - first }, (_, i) => first + i).join('|');
  const head = '^text_decoder\\.cls\\.';
  return [
    { name: 'language head', shuffles: new RegExp(head) },
    ...Array.from({ length: layers }, (_, i) => layers - 1 - i).map((layer) => ({
      name: `and decoder layer ${layer}`,
      shuffles: new RegExp(
        `${head}|^text_decoder\\.bert\\.encoder\\.layer\\.(?:${from(layer)})\\.`,
      ),
    })),
    { name: 'and everything else', shuffles: /./ },
  ];
}

/** The captioner's model with the values of each tensor that fits `shuffles` in another order. Dispose it. */
export function shuffledModel(
  captioner: Captioner,
  shuffles: RegExp,
  seed: number,
): ExplainedModel {
  return new ExplainedModel(storedMembers(captioner.source), (weights) =>
    shuffledWeights(weights, shuffles, seed),
  );
}

function shuffledWeights(
  weights: ReadableWeights,
  shuffles: RegExp,
  seed: number,
): ReadableWeights {
  // A tensor without a place in a file is read through `readFloat32`.
  const tensors = new Map(
    [...weights.tensors].map(([name, { location: _, ...info }]) => [name, info]),
  );
  return {
    tensors,
    async readFloat32(name) {
      const values = await weights.readFloat32(name);
      if (!shuffles.test(name)) return values;
      return Float32Array.from(shuffle([...values], createRandom(seed)));
    },
  };
}

/** Maps of a caption's content words, by method. */
export type WordMaps = ReadonlyMap<MethodName, readonly Float32Array[]>;

export interface MappedCaption {
  readonly captioner: Captioner;
  readonly image: PreparedImage;
  readonly ids: readonly number[];
  readonly names: readonly MethodName[];
  readonly seed: number;
}

/** @param model another than the captioner's own, if wanted */
export async function mapsOf(
  { captioner, image, ids, names, seed }: MappedCaption,
  model: ExplainedModel = explainedModel(captioner),
): Promise<WordMaps> {
  const scene = sceneOf(captioner, image, ids, { seed, signal: undefined }, model);
  const words = wordPieces(ids, captioner.tokenizer).filter(isContentWord);
  const maps = new Map<MethodName, Float32Array[]>();
  for (const name of names) {
    const { values } = await methods[name].maps(scene);
    maps.set(
      name,
      words.map((word) => sumOfMaps(word, values)),
    );
  }
  return maps;
}

/** Rank correlation of the maps of content words, the first with the first and so on: of two models, or of two captions. */
export function agreement(
  names: readonly MethodName[],
  first: WordMaps,
  second: WordMaps,
): Map<MethodName, Share> {
  return new Map(
    names.map((name): [MethodName, Share] => {
      const [a, b] = [first.get(name) ?? [], second.get(name) ?? []];
      const count = Math.min(a.length, b.length);
      let sum = 0;
      for (let i = 0; i < count; i++) sum += rankCorrelation(a[i], b[i]);
      return [name, { sum, count }];
    }),
  );
}
