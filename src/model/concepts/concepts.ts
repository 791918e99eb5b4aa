/**
 * Concepts as graphs: which things a picture is likely to show, and the tokens that tell the decoder of them.
 * A decoder that is given names can write of things that its few training pictures never showed, as in
 * novel-object captioning (Hendricks et al. 2016; Agrawal et al. 2019, nocaps).
 *
 * Letters in shape comments: b images, s image tokens, w their width, d the decoder's width, k concepts.
 */
import { constant, input, type Value } from '../../engine/graph/graph.ts';
import * as ops from '../../engine/graph/ops.ts';
import { embeddingTable, layerNorm, linear } from '../../nn/layers.ts';
import { normal, type Scope, zeros } from '../../nn/scope.ts';
import type { TextConfig } from '../config.ts';
import type { ConceptConfig } from './config.ts';

const { add, cast, concat, div, gather, log, matmul, mul, neg, reduceMean, reduceSum, reshape } =
  ops;

/** The id that stands for the missing second word of a name; no word has it. */
export const noWord = -1;

/** Concepts of each image, the names of classes first. */
export interface ChosenConcepts {
  /** i32 [b, k, 2]: the words of each, `noWord` where there is none. */
  readonly words: Value;
  /** f32 [b, k]: how likely it is that people speak of it. */
  readonly probabilities: Value;
}

/** What both layers say of images: calibrated log-odds. */
export interface ConceptScores {
  /** [b, names]; none where the tower has no classifier. */
  readonly names?: Value;
  /** [b, words]; none where no words are predicted. */
  readonly words?: Value;
}

/** Below `concepts.` are all parameters; these are fitted apart from the captions' loss. */
export const conceptScope = 'concepts';
const fittedParts = ['classes.', 'words.', 'calibration.'];

/** Whether a parameter belongs to the layers that score concepts, not to their tokens. */
export function isConceptScorer(name: string): boolean {
  return fittedParts.some((part) => name.startsWith(`${conceptScope}.${part}`));
}

/** Pooled image tokens [b, w] -> class logits [b, classes] of the tower's own classifier. */
export function classLogits(scope: Scope, config: ConceptConfig, pooled: Value): Value {
  return linear(scope.at(conceptScope).at('classes'), pooled, config.class_groups.length);
}

/** imageTokens [b, s, w] -> what both layers say of the images. */
export function conceptScores(
  scope: Scope,
  config: ConceptConfig,
  imageTokens: Value,
): ConceptScores {
  const at = scope.at(conceptScope);
  const { class_groups: groups, words } = config;
  const pooled = reduceMean(imageTokens, [1]); // [b, w]
  const classes =
    groups.length > 0 ? ops.softmax(classLogits(scope, config, pooled), 1) : undefined;
  const scaling = at.at('calibration');
  return {
    ...(classes && { names: calibrated(scaling.at('names'), nameOdds(config, classes)) }),
    ...(words.length > 0 && {
      words: calibrated(
        scaling.at('words'),
        wordsFrom(at.at('words'), words.length, pooled, classes),
      ),
    }),
  };
}

/** Log-odds [b, names]: classes of one name count together. */
function nameOdds({ class_groups, class_names }: ConceptConfig, classes: Value): Value {
  const groups = constant('i32', [class_groups.length], Int32Array.from(class_groups));
  return logOdds(matmul(classes, ops.oneHot(groups, class_names.length)));
}

/**
 * The second layer: log-odds [b, words] that the captions hold each word, from the pooled image tokens [b, w] and
 * the classes' probabilities [b, classes].
 */
export function wordsFrom(scope: Scope, words: number, pooled: Value, classes?: Value): Value {
  const weight = scope.get('weight', [words, Number(pooled.shape[1])], zeros);
  const bias = scope.get('bias', [words], zeros);
  const own = add(matmul(pooled, weight, { transB: true }), bias);
  if (!classes) return own;
  const fromClasses = scope.get('from_classes', [words, Number(classes.shape[1])], zeros);
  return add(own, matmul(classes, fromClasses, { transB: true }));
}

const smallest = 1e-6;

function logOdds(probabilities: Value): Value {
  const p = ops.clip(probabilities, smallest, 1 - smallest);
  return ops.sub(log(p), log(add(neg(p), 1)));
}

/** Platt's scaling: (1 + scale) x + shift. */
function calibrated(scope: Scope, x: Value): Value {
  const scale = scope.get('scale', [1], zeros);
  return add(mul(x, add(scale, 1)), scope.get('shift', [1], zeros));
}

/** The concepts that may be chosen, where not all may: places in `class_names`, and in `words`. */
export interface AllowedConcepts {
  readonly names: readonly number[];
  readonly words: readonly number[];
}

/**
 * The likeliest of both kinds.
 * @param allowed those that may be chosen; where they are fewer than the tokens, the others name nothing
 */
export function chooseConcepts(
  config: ConceptConfig,
  scores: ConceptScores,
  allowed?: AllowedConcepts,
): ChosenConcepts {
  const names = config.class_names.map(([first, second = noWord]) => [first, second]);
  const words = config.words.map((word) => [word, noWord]);
  const kinds = [
    pick(scores.names, names, config.class_tokens, allowed?.names),
    pick(scores.words, words, config.word_tokens, allowed?.words),
  ].filter((kind) => kind !== undefined);
  return {
    words: concat(
      kinds.map((kind) => kind.words),
      1,
    ),
    probabilities: concat(
      kinds.map((kind) => kind.probabilities),
      1,
    ),
  };
}

function pick(
  logits: Value | undefined,
  pairs: readonly (readonly number[])[],
  count: number,
  allowed?: readonly number[],
): ChosenConcepts | undefined {
  if (!logits || count === 0) return undefined;
  if (allowed) return pickAllowed(logits, pairs, count, allowed);
  const { values, indices } = ops.topK(logits, count, 1);
  return { words: gather(tableOf(pairs), indices), probabilities: ops.sigmoid(values) };
}

function tableOf(pairs: readonly (readonly number[])[]): Value {
  return constant('i32', [pairs.length, 2], Int32Array.from(pairs.flat()));
}

function pickAllowed(
  logits: Value,
  pairs: readonly (readonly number[])[],
  count: number,
  allowed: readonly number[],
): ChosenConcepts {
  const [images] = logits.shape;
  const used = Math.min(count, allowed.length);
  const free = count - used;
  const nothing: ChosenConcepts = {
    words: ops.full([images, free, 2], noWord, 'i32'),
    probabilities: ops.full([images, free], smallest),
  };
  if (used === 0) return nothing;
  const places = constant('i32', [allowed.length], Int32Array.from(allowed));
  const some = pick(
    gather(logits, places, 1),
    allowed.map((place) => pairs[place]),
    used,
  );
  if (!some) return nothing;
  if (free === 0) return some;
  return {
    words: concat([some.words, nothing.words], 1),
    probabilities: concat([some.probabilities, nothing.probabilities], 1),
  };
}

/** Concepts that are fed: the inputs `conceptWords` i32 [b, k, 2] and `conceptProbabilities` f32 [b, k]. */
export function givenConcepts(config: ConceptConfig): ChosenConcepts {
  const count = config.class_tokens + config.word_tokens;
  return {
    words: input('conceptWords', 'i32', ['images', count, 2]),
    probabilities: input('conceptProbabilities', 'f32', ['images', count]),
  };
}

/**
 * The tokens [b, k, w] of concepts: the decoder's own embeddings of their words, how likely they are, and of
 * which kind, so that the decoder looks a name up instead of learning every thing anew.
 */
export function conceptTokens(
  scope: Scope,
  config: ConceptConfig,
  text: TextConfig,
  { words, probabilities }: ChosenConcepts,
): Value {
  const at = scope.at(conceptScope).at('tokens');
  const width = text.hidden_size;
  const table = embeddingTable(
    scope.at('text_decoder.bert.embeddings.word_embeddings'),
    text.vocab_size,
    width,
  );
  const present = cast(ops.greaterOrEqual(words, 0), 'f32'); // [b, k, 2]
  const [images, count] = words.shape;
  const embedded = mul(
    gather(table, ops.maximum(words, constant('i32', [], Int32Array.of(0)))),
    reshape(present, [images, count, 2, 1]),
  ); // [b, k, 2, d]
  const named = div(
    reduceSum(embedded, [2]),
    reshape(ops.maximum(reduceSum(present, [2]), 1), [images, count, 1]),
  );
  const likely = reshape(probabilities, [images, count, 1]);
  const features = concat([likely, mul(logOdds(likely), 1 / 8)], 2); // [b, k, 2]
  const sure = linear(at.at('probability'), features, width);
  const kinds = at.get('kind', [2, width], normal());
  const kindOf = Int32Array.from({ length: Number(count) }, (_, i) =>
    i < config.class_tokens ? 0 : 1,
  );
  const kind = gather(kinds, constant('i32', [kindOf.length], kindOf)); // [k, d]
  const sum = add(add(named, sure), kind);
  const normed = layerNorm(at.at('LayerNorm'), sum, text.layer_norm_eps);
  return linear(at.at('projection'), normed, text.encoder_hidden_size);
}
