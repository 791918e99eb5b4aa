/** Trains the layer that predicts the words of an image's captions: logistic regression on pooled features. */
import { createRandom, shuffle } from '../../base/random.ts';
import { input, type Value } from '../../engine/graph/graph.ts';
import * as ops from '../../engine/graph/ops.ts';
import { Session, type SessionOptions } from '../../engine/runtime/session.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import { wordsFrom } from '../../model/concepts/concepts.ts';
import { adamW } from '../../nn/optimizers.ts';
import { ParameterStore } from '../../nn/parameter-store.ts';
import { createSchedule } from '../../nn/schedules.ts';
import { Scope } from '../../nn/scope.ts';
import { Updater } from '../../nn/updater.ts';
import { accumulatedPrefix, gradientPrefix, withGradients } from '../objective/objective.ts';

/** Images (or views of them) as the layer sees them. */
export interface WordExamples {
  readonly count: number;
  /** [count, width]. */
  readonly pooled: Float32Array;
  readonly width: number;
  /** Probabilities of the classes, [count, classes]. */
  readonly classes: Float32Array;
  readonly classCount: number;
  /** For each example the places of the words that its captions hold, among `words`. */
  readonly targets: readonly (readonly number[])[];
  /** How many words there are. */
  readonly words: number;
}

export interface WordLayerOptions {
  /** Rounds over the examples; more of them where so few steps would not reach the end. */
  readonly epochs: number;
  readonly minSteps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly seed: number;
  readonly session: SessionOptions;
  readonly signal?: AbortSignal;
}

export const usualWordLayer = {
  epochs: 24,
  minSteps: 400,
  batchSize: 256,
  learningRate: 2e-3,
  weightDecay: 0.3,
} as const;

/** The layer's parameters by name: `weight`, `from_classes`, `bias`. */
export type WordLayer = ReadonlyMap<string, Float32Array>;

/** Fits the layer to the examples at these places. @throws the signal's reason when aborted */
export async function fitWordLayer(
  examples: WordExamples,
  places: readonly number[],
  options: WordLayerOptions,
): Promise<WordLayer> {
  const scope = new Scope();
  const logits = layerGraph(scope, examples);
  const targets = input('targets', 'f32', ['images', examples.words]);
  // -log p of each word's presence or absence, summed over words.
  const each = ops.sub(ops.softplus(logits), ops.mul(logits, targets));
  const loss = ops.mul(ops.reduceSum(each), input('share', 'f32', []));
  const store = new ParameterStore(scope.parameters);
  store.initialize(createRandom(options.seed));
  setBaseRates(store, examples, places);
  const names = new Set(store.trainableNames);
  using session = await Session.open(withGradients(scope, { loss }, names, true), options.session);
  using updater = await Updater.open(adamW({ beta1: 0.9, beta2: 0.99 }), store, options.session);
  await descend(examples, places, options, store, session, updater);
  return new Map(store.names.map((name) => [name, Float32Array.from(store.tensor(name).data)]));
}

/** Log-odds [count, words] of the layer for the examples at these places. */
export async function applyWordLayer(
  examples: WordExamples,
  places: readonly number[],
  layer: WordLayer,
  session: SessionOptions,
): Promise<Float32Array> {
  const scope = new Scope();
  using opened = await Session.open({ logits: layerGraph(scope, examples) }, session);
  const weights = Object.fromEntries(
    scope.parameters.map(({ name, shape }) => [
      name,
      tensor('f32', shape, layer.get(name) ?? new Float32Array(0)),
    ]),
  );
  const result = new Float32Array(places.length * examples.words);
  for (let start = 0; start < places.length; start += 1024) {
    const part = places.slice(start, start + 1024);
    const { logits } = await opened.run({ ...weights, ...feedsOf(examples, part) });
    if (logits.data instanceof Float32Array) result.set(logits.data, start * examples.words);
  }
  return result;
}

function layerGraph(scope: Scope, { width, classCount, words }: WordExamples): Value {
  const pooled = input('pooled', 'f32', ['images', width]);
  const classes = classCount > 0 ? input('classes', 'f32', ['images', classCount]) : undefined;
  return wordsFrom(scope, words, pooled, classes);
}

/** Every word begins at its own frequency, so that the first steps need not learn it. */
function setBaseRates(
  store: ParameterStore,
  { targets, words }: WordExamples,
  places: readonly number[],
): void {
  const uses = new Float64Array(words);
  for (const place of places) for (const word of targets[place]) uses[word] += 1;
  const bias = store.tensor('bias').data;
  for (let word = 0; word < words; word++) {
    const rate = (uses[word] + 0.5) / (places.length + 1);
    bias[word] = Math.log(rate / (1 - rate));
  }
}

async function descend(
  examples: WordExamples,
  places: readonly number[],
  { minSteps, batchSize, learningRate, weightDecay, seed, signal, ...options }: WordLayerOptions,
  store: ParameterStore,
  session: Session,
  updater: Updater,
): Promise<void> {
  const gradients = new Float32Array(store.trainable.length);
  const views = (prefix: string) =>
    Object.fromEntries(
      store.names.map((name) => [prefix + name, store.viewOf(name, gradients)] as const),
    );
  const [before, into] = [views(accumulatedPrefix), views(gradientPrefix)];
  const perEpoch = Math.ceil(places.length / batchSize);
  const epochs = Math.max(options.epochs, Math.ceil(minSteps / perEpoch));
  const schedule = createSchedule({
    name: 'cosine',
    warmupSteps: 20,
    totalSteps: perEpoch * epochs,
    floor: 0,
  });
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffle([...places], createRandom(seed + epoch + 1));
    for (let start = 0; start < order.length; start += batchSize) {
      signal?.throwIfAborted();
      const part = order.slice(start, start + batchSize);
      gradients.fill(0);
      const targets = new Float32Array(part.length * examples.words);
      for (const [row, place] of part.entries())
        for (const word of examples.targets[place]) targets[row * examples.words + word] = 1;
      const feeds = {
        ...store.feeds(),
        ...before,
        ...feedsOf(examples, part),
        targets: tensor('f32', [part.length, examples.words], targets),
        share: tensor('f32', [], Float32Array.of(1 / part.length)),
      };
      await session.run(feeds, into);
      await updater.apply(gradients, {
        step: step + 1,
        learningRate: learningRate * schedule(step),
        weightDecay,
        gradientScale: 1,
      });
      step += 1;
    }
  }
}

function feedsOf(examples: WordExamples, part: readonly number[]): Record<string, Tensor> {
  const rows = (source: Float32Array, width: number) => {
    const data = new Float32Array(part.length * width);
    for (const [row, place] of part.entries())
      data.set(source.subarray(place * width, (place + 1) * width), row * width);
    return tensor('f32', [part.length, width], data);
  };
  return {
    pooled: rows(examples.pooled, examples.width),
    ...(examples.classCount > 0 && { classes: rows(examples.classes, examples.classCount) }),
  };
}
