/** Trains a decoder over the features of a frozen tower: the loop, its sessions and its numbers. */
import { InputError } from '../base/errors.ts';
import { createRandom } from '../base/random.ts';
import type { BlipConfig } from '../blip/config.ts';
import { Session, type SessionOptions } from '../engine/session.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { dropoutSeed } from '../nn/dropout.ts';
import { adamW } from '../nn/optimizers.ts';
import { ParameterStore } from '../nn/parameter-store.ts';
import { createSchedule } from '../nn/schedules.ts';
import { Scope } from '../nn/scope.ts';
import { Updater } from '../nn/updater.ts';
import {
  type Batch,
  type EncodedImages,
  epochBatches,
  type TextBatch,
  textBatch,
} from './batches.ts';
import type { TrainConfig } from './config.ts';
import type { FeatureCache } from './features.ts';
import { gradientPrefix, lossGraph, withGradients } from './objective.ts';

/** Captions and image tokens of one split, in the same order. */
export interface TrainingSplit {
  readonly captions: EncodedImages;
  readonly features: FeatureCache;
}

/** What a step or a validation tells. */
export type TrainingEvent =
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly totalSteps: number;
      readonly epoch: number;
      readonly loss: number;
      readonly gradientNorm: number;
      readonly learningRate: number;
      readonly imagesPerSecond: number;
    }
  | { readonly kind: 'skipped'; readonly step: number; readonly inARow: number }
  | {
      readonly kind: 'validation';
      readonly step: number;
      readonly epoch: number;
      readonly lossPerWord: number;
    };

export interface TrainerInput {
  readonly config: TrainConfig;
  readonly model: BlipConfig;
  readonly train: TrainingSplit;
  readonly dev: TrainingSplit;
  readonly session: SessionOptions;
  readonly signal?: AbortSignal;
  onEvent(event: TrainingEvent): Promise<void> | void;
  /** Called after each epoch, with whether its validation loss is the lowest so far. */
  onEpoch(store: ParameterStore, isBest: boolean): Promise<void>;
}

/**
 * Trains to the end of the last epoch and returns the decoder's weights.
 * @throws InputError when too many steps in a row had no finite loss or gradient
 */
export async function trainDecoder(input: TrainerInput): Promise<ParameterStore> {
  const { config, model, train, dev } = input;
  const scope = new Scope();
  const graph = lossGraph(scope, model, {
    images: 'tokens',
    labelSmoothing: config.labelSmoothing,
    dropout: config.dropout > 0,
  });
  const plain = lossGraph(scope, model, { images: 'tokens', labelSmoothing: 0, dropout: false });
  const store = new ParameterStore(scope.parameters);
  store.initialize(createRandom(config.seed));
  const trainable = new Set(store.trainableNames);
  using gradientSession = await Session.open(withGradients(scope, graph, trainable), input.session);
  using validationSession = await Session.open(plain, input.session);
  using updater = await Updater.open(adamW({ beta2: 0.98 }), store, input.session);
  const gradients = new Float32Array(store.trainable.length);
  const into = Object.fromEntries(
    store.trainableNames.map((name) => [gradientPrefix + name, store.viewOf(name, gradients)]),
  );

  const stepsPerEpoch = Math.ceil(train.captions.length / config.batchSize);
  const totalSteps = stepsPerEpoch * config.epochs;
  const schedule = createSchedule({
    name: config.schedule,
    warmupSteps: config.warmupSteps,
    totalSteps,
  });
  const parameters = store.feeds();
  let step = 0;
  let skipped = 0;
  let lowest = Number.POSITIVE_INFINITY;
  for (let epoch = 1; epoch <= config.epochs; epoch++) {
    const random = createRandom(dropoutSeed(config.seed, epoch));
    const batches = epochBatches(train.captions, config.batchSize, random);
    for await (const { feeds, text } of loadBatches(train, batches, model)) {
      input.signal?.throwIfAborted();
      const started = performance.now();
      const seed = tensor('i32', [], Int32Array.of(dropoutSeed(config.seed, step, 1)));
      const result = await gradientSession.run(
        { ...parameters, ...feeds, ...(config.dropout > 0 && { dropoutSeed: seed }) },
        into,
      );
      const loss = Number(result.loss.data[0]);
      const gradientNorm = await updater.gradientNorm(gradients);
      const learningRate = config.learningRate * schedule(step);
      step += 1;
      if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
        skipped = 0;
        await updater.apply(gradients, {
          step,
          learningRate,
          weightDecay: config.weightDecay,
          gradientScale: Math.min(1, config.maxGradientNorm / (gradientNorm + 1e-6)),
        });
      } else {
        skipped += 1;
        await input.onEvent({ kind: 'skipped', step, inARow: skipped });
        if (skipped >= config.maxSkippedSteps)
          throw new InputError(
            `${skipped} steps in a row had no finite loss or gradient; lower learningRate (${config.learningRate}). The last saved model is unchanged.`,
          );
      }
      const imagesPerSecond = text.shape[0] / ((performance.now() - started) / 1000);
      await input.onEvent({
        kind: 'step',
        step,
        totalSteps,
        epoch,
        loss,
        gradientNorm,
        learningRate,
        imagesPerSecond,
      });
    }
    const lossPerWord = await validate(validationSession, parameters, dev, config, model);
    await input.onEvent({ kind: 'validation', step, epoch, lossPerWord });
    await input.onEpoch(store, lossPerWord < lowest);
    lowest = Math.min(lowest, lossPerWord);
  }
  return store;
}

/** Cross-entropy summed over all captions' words and ends, divided by the number of words and ends. */
async function validate(
  session: Session,
  parameters: Record<string, Tensor>,
  split: TrainingSplit,
  config: TrainConfig,
  model: BlipConfig,
): Promise<number> {
  let sum = 0;
  let words = 0;
  const batches = epochBatches(split.captions, config.batchSize, createRandom(0));
  for await (const { feeds, text } of loadBatches(split, batches, model)) {
    const result = await session.run({ ...parameters, ...feeds });
    sum += Number(result.sum.data[0]);
    words += text.words + text.captions;
  }
  return sum / words;
}

interface LoadedBatch {
  readonly feeds: Record<string, Tensor>;
  readonly text: TextBatch;
}

/** Reads each batch's features while the one before is computed. */
async function* loadBatches(
  split: TrainingSplit,
  batches: readonly Batch[],
  model: BlipConfig,
): AsyncGenerator<LoadedBatch> {
  const { hidden_size: width } = model.vision_config;
  const load = async (batch: Batch): Promise<LoadedBatch> => {
    const text = textBatch(split.captions, batch, model.text_config.pad_token_id);
    const size = split.features.valuesPerImage;
    const tokens = tensor('f16', [batch.length, size / width, width]);
    await split.features.read(
      batch,
      batch.map(() => 0),
      tokens.data,
    );
    const feeds = {
      tokens,
      ids: tensor('i32', text.shape, text.ids),
      labels: tensor('i32', text.shape, text.labels),
    };
    return { feeds, text };
  };
  let next = batches.length > 0 ? load(batches[0]) : undefined;
  try {
    for (let i = 0; next; i++) {
      const current = await next;
      next = i + 1 < batches.length ? load(batches[i + 1]) : undefined;
      yield current;
    }
  } finally {
    // Whoever stops early must not leave a read behind that fails when the file is closed.
    await next?.catch(() => undefined);
  }
}
