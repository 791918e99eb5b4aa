/** Fits what scores concepts to training images, and says which concepts each of these images is shown with. */
import { createRandom, shuffle } from '../../base/random.ts';
import { sigmoid } from '../../confidence/logistic.ts';
import type { SessionOptions } from '../../engine/runtime/session.ts';
import { conceptScope, noWord } from '../../model/concepts/concepts.ts';
import type { ConceptConfig } from '../../model/concepts/config.ts';
import { fitScaling, type Scaling } from './calibration.ts';
import {
  applyWordLayer,
  fitWordLayer,
  usualWordLayer,
  type WordExamples,
  type WordLayer,
} from './words-layer.ts';

/** Rows of pooled features: one or several views of each image. */
export interface PooledImages {
  /** [rows, width]. */
  readonly pooled: Float32Array;
  readonly width: number;
  /** Probabilities of the classes, [rows, classes]. */
  readonly classes: Float32Array;
  /** The image that each row shows. */
  readonly image: readonly number[];
}

/** Words of the captions of each image: their ids, and the pairs that stand side by side. */
export interface SpokenWords {
  readonly words: ReadonlySet<number>;
  /** `first second`. */
  readonly pairs: ReadonlySet<string>;
}

/** Concepts of rows, as the graph is fed with them. */
export interface RowConcepts {
  /** [rows, tokens, 2] */
  readonly words: Int32Array;
  /** [rows, tokens] */
  readonly probabilities: Float32Array;
  /** [rows, tokens]: whether the captions speak of it. */
  readonly right: Uint8Array;
}

export interface FittedConcepts {
  /** Values of the parameters that score concepts, beside the classifier's own. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** Of the training rows, each scored by a layer that has not seen its image: as noisy as they will be. */
  readonly rows: RowConcepts;
  /** What the classifier said of them, [rows, classes]. */
  readonly classes: Float32Array;
}

export interface FitOptions {
  /** Parts of the images, each scored by a layer fitted to the others. */
  readonly folds: number;
  readonly seed: number;
  readonly session: SessionOptions;
  readonly signal?: AbortSignal;
  /** Told before each layer is fitted: one a fold, and the last one to all images. */
  onLayer?(layer: number, layers: number): void;
}

/**
 * Fits the layer of words by logistic regression and both calibrations by Platt's scaling, on scores that are
 * cross-fitted: no image is scored by a layer that has seen it.
 * @throws the signal's reason when aborted
 */
export async function fitConcepts(
  config: ConceptConfig,
  rows: PooledImages,
  spoken: readonly SpokenWords[],
  { folds, onLayer, ...options }: FitOptions,
): Promise<FittedConcepts> {
  const examples = examplesOf(config, rows, spoken);
  // Views of an image count together: more of them, fewer rounds.
  const views = examples.count / Math.max(1, spoken.length);
  const epochs = Math.max(4, Math.round(usualWordLayer.epochs / Math.max(1, views)));
  const settings = { ...usualWordLayer, ...options, epochs };
  const wordLogits = new Float32Array(examples.count * examples.words);
  const foldOf = dealtFolds(spoken.length, folds, options.seed);
  for (let fold = 0; fold < folds; fold++) {
    onLayer?.(fold + 1, folds + 1);
    const inFold = (row: number) => foldOf[rows.image[row]] === fold;
    const all = Array.from({ length: examples.count }, (_, row) => row);
    const held = all.filter(inFold);
    const layer = await fitWordLayer(
      examples,
      all.filter((row) => !inFold(row)),
      settings,
    );
    const logits = await applyWordLayer(examples, held, layer, options.session);
    for (const [i, row] of held.entries())
      wordLogits.set(
        logits.subarray(i * examples.words, (i + 1) * examples.words),
        row * examples.words,
      );
  }
  const everyRow = Array.from({ length: examples.count }, (_, row) => row);
  onLayer?.(folds + 1, folds + 1);
  const layer = await fitWordLayer(examples, everyRow, settings);
  const names = likeliest(nameLogits(config, rows), config.class_names.length, config.class_tokens);
  const words = likeliest(wordLogits, config.words.length, config.word_tokens);
  const says = speaker(config);
  const named = (pair: readonly number[], row: number) => says(pair, spoken[rows.image[row]]);
  const nameScaling = scalingOf(names, (place, row) => named(config.class_names[place], row));
  const wordScaling = scalingOf(words, (place, row) => named([config.words[place]], row));
  return {
    classes: rows.classes,
    parameters: parametersOf(layer, nameScaling, wordScaling),
    rows: mergeKinds(
      [
        { ranked: names, scaling: nameScaling, pairs: config.class_names },
        { ranked: words, scaling: wordScaling, pairs: config.words.map((word) => [word]) },
      ],
      named,
    ),
  };
}

/** Folds by chance: neighbours in a dataset may be alike. */
function dealtFolds(images: number, folds: number, seed: number): Uint8Array {
  const order = shuffle(
    Array.from({ length: images }, (_, image) => image),
    createRandom(seed),
  );
  const foldOf = new Uint8Array(images);
  for (const [i, image] of order.entries()) foldOf[image] = i % folds;
  return foldOf;
}

function examplesOf(
  config: ConceptConfig,
  { pooled, width, classes, image }: PooledImages,
  spoken: readonly SpokenWords[],
): WordExamples {
  const targets = spoken.map(({ words }) =>
    config.words.flatMap((word, place) => (words.has(word) ? [place] : [])),
  );
  return {
    count: image.length,
    pooled,
    width,
    classes,
    classCount: config.class_groups.length,
    targets: image.map((at) => targets[at]),
    words: config.words.length,
  };
}

/**
 * Whether captions speak of a name: of its one word, of both side by side, or, where the second is what the first is a
 * kind of, of either.
 */
export function speaker({
  class_kinds,
  class_names,
}: ConceptConfig): (name: readonly number[], spoken: SpokenWords) => boolean {
  const kinds = new Set(class_kinds.map((at) => class_names[at].join(' ')));
  return ([first, second], { words, pairs }) => {
    if (second === undefined) return words.has(first);
    const pair = `${first} ${second}`;
    return kinds.has(pair) ? words.has(first) || words.has(second) : pairs.has(pair);
  };
}

const smallest = 1e-6;

/** Log-odds [rows, names] of names: the sums of their classes' probabilities. */
function nameLogits(config: ConceptConfig, { classes, image }: PooledImages): Float32Array {
  const { class_groups: groups, class_names: names } = config;
  const result = new Float32Array(image.length * names.length);
  for (let row = 0; row < image.length; row++) {
    const at = row * names.length;
    for (const [place, group] of groups.entries())
      result[at + group] += classes[row * groups.length + place];
    for (let i = at; i < at + names.length; i++) {
      const p = Math.min(1 - smallest, Math.max(smallest, result[i]));
      result[i] = Math.log(p / (1 - p));
    }
  }
  return result;
}

/** The `count` largest of each row, largest first: their places and values, [rows, count]. */
interface Ranked {
  readonly count: number;
  readonly places: Int32Array;
  readonly values: Float32Array;
}

function likeliest(values: Float32Array, width: number, count: number): Ranked {
  const rows = values.length / width;
  const places = new Int32Array(rows * count);
  const found = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * width, (row + 1) * width);
    const order = Array.from(own.keys()).sort((a, b) => own[b] - own[a] || a - b);
    for (let i = 0; i < count; i++) {
      places[row * count + i] = order[i];
      found[row * count + i] = own[order[i]];
    }
  }
  return { count, places, values: found };
}

/** On the chosen ones alone: what they will say is what must be right. */
function scalingOf(
  { count, places, values }: Ranked,
  isRight: (place: number, row: number) => boolean,
): Scaling {
  const right = Array.from(places, (place, i) => isRight(place, Math.floor(i / count)));
  return fitScaling(values, right);
}

interface Kind {
  readonly ranked: Ranked;
  readonly scaling: Scaling;
  readonly pairs: readonly (readonly number[])[];
}

function mergeKinds(
  kinds: readonly Kind[],
  isRight: (pair: readonly number[], row: number) => boolean,
): RowConcepts {
  const tokens = kinds.reduce((sum, { ranked }) => sum + ranked.count, 0);
  const used = kinds.find(({ ranked }) => ranked.count > 0);
  const rows = used ? used.ranked.places.length / used.ranked.count : 0;
  const words = new Int32Array(rows * tokens * 2);
  const probabilities = new Float32Array(rows * tokens);
  const right = new Uint8Array(rows * tokens);
  for (let row = 0; row < rows; row++) {
    let at = row * tokens;
    for (const { ranked, scaling, pairs } of kinds)
      for (let i = row * ranked.count; i < (row + 1) * ranked.count; i++, at++) {
        const pair = pairs[ranked.places[i]];
        words.set([pair[0], pair[1] ?? noWord], 2 * at);
        probabilities[at] = sigmoid(scaling.slope * ranked.values[i] + scaling.shift);
        right[at] = isRight(pair, row) ? 1 : 0;
      }
  }
  return { words, probabilities, right };
}

function parametersOf(
  layer: WordLayer,
  names: Scaling,
  words: Scaling,
): ReadonlyMap<string, Float32Array> {
  const result = new Map<string, Float32Array>();
  for (const [name, values] of layer) result.set(`${conceptScope}.words.${name}`, values);
  for (const [kind, { slope, shift }] of Object.entries({ names, words })) {
    // In the graph the scale is what is added to 1.
    result.set(`${conceptScope}.calibration.${kind}.scale`, Float32Array.of(slope - 1));
    result.set(`${conceptScope}.calibration.${kind}.shift`, Float32Array.of(shift));
  }
  return result;
}
