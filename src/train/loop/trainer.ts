/** The training loop: steps, validations, checkpoints. What is computed when; how, stands elsewhere. */
import { Opened } from '../../base/disposal.ts';
import { InputError } from '../../base/errors.ts';
import type { SessionOptions } from '../../engine/runtime/session.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import type { BlipConfig } from '../../model/config.ts';
import { dropoutSeed } from '../../nn/dropout.ts';
import { adamW, withAverage } from '../../nn/optimizers.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import { createSchedule, type Schedule } from '../../nn/schedules.ts';
import { Updater } from '../../nn/updater.ts';
import { beginning, type Progress, verdictSchema } from '../checkpoint/checkpoint.ts';
import type { TrainConfig } from '../config/config.ts';
import type { Peers } from '../distributed/peers.ts';
import { addSums, GradientSession, type ObjectiveSums, partNames } from '../objective/gradients.ts';
import { drawsDropout, type TrainingGraphs } from '../objective/graphs.ts';
import { type TextBatch, textBatch } from './batches.ts';
import { drawSamples, type Sampler, type Samples } from './scst.ts';
import { loadedAhead, type StepPart, type StepSource } from './steps.ts';
import type { TextFeed } from './texts.ts';
import type { Validation, Validator } from './validation.ts';

/** What a run tells as it goes; each is a line of metrics.jsonl. */
export type TrainingEvent =
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly totalSteps: number;
      readonly epoch: number;
      /** What is minimised. */
      readonly loss: number;
      /** Its parts, each a mean over words; in self-critical training also the samples' mean reward. */
      readonly terms: Readonly<Record<string, number>>;
      readonly gradientNorm: number;
      readonly learningRate: number;
      readonly imagesPerSecond: number;
      /** Share of the step's time spent waiting for images. */
      readonly waiting: number;
    }
  | { readonly kind: 'skipped'; readonly step: number; readonly inARow: number }
  /** Ranks whose weights were no longer the first one's to the bit, and were given them anew. */
  | { readonly kind: 'parted'; readonly step: number; readonly ranks: readonly number[] }
  | ({
      readonly kind: 'validation';
      readonly step: number;
      readonly epoch: number;
      readonly best: boolean;
      readonly seconds: number;
    } & Validation);

export interface TrainerInput {
  readonly config: TrainConfig;
  readonly model: BlipConfig;
  readonly graphs: TrainingGraphs;
  readonly store: ParameterStore;
  /** Peak learning rate. */
  readonly learningRate: number;
  readonly source: StepSource;
  /** Captions without pictures, for each step. */
  readonly textFeed?: TextFeed;
  readonly session: SessionOptions;
  readonly updater: Updater;
  /** The processes that train together, each on `batchSize` images of a step. */
  readonly peers: Peers;
  /** Of the first rank. */
  readonly validator?: Validator;
  /** For self-critical training. */
  readonly sampler?: Sampler;
  /** Where to go on; the store and the updater hold the state of that moment. */
  readonly from?: Progress;
  readonly signal?: AbortSignal;
  onEvent(event: TrainingEvent): Promise<void> | void;
  /** Called after each validation, with whether it is the best so far. */
  onModel(isBest: boolean): Promise<void>;
  /** Called where the run may be resumed. */
  onCheckpoint(progress: Progress): Promise<void>;
}

/** The optimizer of a run. */
export function openUpdater(
  config: TrainConfig,
  store: ParameterStore,
  session: SessionOptions,
): Promise<Updater> {
  const { beta1, beta2, ema } = config;
  const inner = adamW({ beta1, beta2 });
  return Updater.open(ema > 0 ? withAverage(inner, ema) : inner, store, session);
}

/**
 * Trains to the end, or until it is stopped: by the signal, by patience, or by an error. Where it
 * stops half-way it first leaves a checkpoint.
 * @throws InputError when too many steps in a row had no finite loss or gradient, or the state of a run that is
 *   stopped cannot be saved; the signal's reason
 */
export async function train(input: TrainerInput): Promise<void> {
  const run = await Run.open(input);
  using _ = run;
  try {
    await run.toTheEnd();
  } catch (error) {
    const saving = run.checkpoint();
    // Whoever stopped the run is told that its state is lost; else what stopped it is what matters.
    await (input.signal?.aborted === true && error === input.signal.reason
      ? saving
      : saving.catch(() => undefined));
    throw error;
  }
}

class Run implements Disposable {
  readonly #input: TrainerInput;
  readonly #gradients: Float32Array;
  readonly #objective: GradientSession;
  readonly #policy: GradientSession | undefined;
  readonly #texts: GradientSession | undefined;
  readonly #schedule: Schedule;
  readonly #totalSteps: number;
  #progress: Progress;
  #saved: number;
  /** While an update is under way the weights are neither the old nor the new ones, and not saved. */
  #isUpdating = false;

  private constructor(
    input: TrainerInput,
    gradients: Float32Array,
    objective: GradientSession,
    policy: GradientSession | undefined,
    texts: GradientSession | undefined,
  ) {
    const { config, from } = input;
    this.#input = input;
    this.#gradients = gradients;
    this.#objective = objective;
    this.#policy = policy;
    this.#texts = texts;
    const whole = input.source.stepsPerEpoch * config.epochs;
    this.#totalSteps = Math.min(whole, config.maxSteps ?? whole);
    this.#schedule = createSchedule({
      name: config.schedule,
      warmupSteps: config.warmupSteps ?? Math.min(150, Math.floor(this.#totalSteps / 10)),
      totalSteps: this.#totalSteps,
      floor: config.scheduleFloor,
    });
    this.#progress = from ?? beginning;
    this.#saved = this.#progress.step;
  }

  static async open(input: TrainerInput): Promise<Run> {
    const { graphs, store, session } = input;
    const gradients = new Float32Array(store.trainable.length);
    const open = (outputs: TrainingGraphs['objective']) =>
      GradientSession.open(graphs.scope, outputs, store, gradients, session);
    using opened = new Opened();
    const policy = graphs.policy && opened.use(await open(graphs.policy));
    const texts = graphs.texts && opened.use(await open(graphs.texts));
    const objective = opened.use(await open(graphs.objective));
    opened.keep();
    return new Run(input, gradients, objective, policy, texts);
  }

  async toTheEnd(): Promise<void> {
    const { config, signal, peers } = this.#input;
    while (!this.#isDone()) {
      await this.#epoch();
      await this.#agree();
      const validated = await peers.ofFirst(verdictSchema, () => this.#validate());
      const { epoch } = this.#progress;
      this.#progress = { ...this.#progress, ...validated, epoch: epoch + 1, batch: 0 };
      await this.checkpoint(true);
      signal?.throwIfAborted();
      if (config.patience !== null && this.#progress.sinceBest >= config.patience) return;
    }
  }

  /** Sees to it that ranks have the same weights: processors of different kinds may round an update differently. */
  async #agree(): Promise<void> {
    const { peers, store, updater, onEvent } = this.#input;
    if (peers.size === 1) return;
    const state = [store.trainable, ...Object.values(updater.slots)];
    const parted = new Set<number>();
    for (const values of state) {
      const differing = await peers.differing(values);
      if (differing.length > 0) await peers.spread(values);
      for (const rank of differing) parted.add(rank);
    }
    const ranks = [...parted].sort((a, b) => a - b);
    if (ranks.length > 0) await onEvent({ kind: 'parted', step: this.#progress.step, ranks });
  }

  /** Saves the state, unless it is saved already. */
  async checkpoint(always = false): Promise<void> {
    const { step } = this.#progress;
    if (this.#isUpdating || (!always && step === this.#saved)) return;
    await this.#input.onCheckpoint(this.#progress);
    this.#saved = step;
  }

  #isDone(): boolean {
    const { step, epoch, batch, sinceBest } = this.#progress;
    const { epochs, patience } = this.#input.config;
    // After the last step there is still a validation, with which the epoch's batches begin anew.
    const isLast = step >= this.#totalSteps && batch === 0;
    return epoch > epochs || isLast || (patience !== null && sinceBest >= patience);
  }

  /** The rest of the epoch that the run stands in. */
  async #epoch(): Promise<void> {
    const { config, source, signal } = this.#input;
    const { epoch, batch: done, step: first } = this.#progress;
    const wanted = { epoch, done, first, most: this.#totalSteps - first };
    for await (const { step, waited } of loadedAhead(source.steps(wanted))) {
      signal?.throwIfAborted();
      await this.#step(step, waited);
      const { step: at, batch } = this.#progress;
      // An epoch's end has a checkpoint of its own, after the validation.
      if (at % config.checkpointEvery === 0 && batch < source.stepsPerEpoch)
        await this.checkpoint();
    }
  }

  async #step(parts: readonly StepPart[], waited: number): Promise<void> {
    const { peers, updater, onEvent } = this.#input;
    const started = performance.now();
    this.#gradients.fill(0);
    const ofPictures = this.#input.sampler
      ? await this.#selfCritical(this.#input.sampler, parts)
      : await this.#crossEntropy(parts, 1);
    const { loss, terms } = await this.#withTexts(ofPictures);
    await peers.addUp(this.#gradients);
    // The norm is the first rank's: another processor may add up in another order, and the weights would part.
    const norm = peers.rank === 0 ? await updater.gradientNorm(this.#gradients) : 0;
    const [gradientNorm, images] = await peers.sums([norm, imagesOf(parts)]);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      await this.#skip();
      return;
    }
    const { step: before, epoch } = this.#progress;
    const learningRate = this.#input.learningRate * this.#schedule(before);
    await this.#update(learningRate, gradientNorm);
    const seconds = (performance.now() - started + waited) / 1000;
    await onEvent({
      kind: 'step',
      step: before + 1,
      totalSteps: this.#totalSteps,
      epoch,
      loss,
      terms,
      gradientNorm,
      learningRate,
      imagesPerSecond: images / seconds,
      waiting: waited / 1000 / seconds,
    });
  }

  /** Moves the weights, and then where the run stands: what fails in between is done again from a checkpoint. */
  async #update(learningRate: number, gradientNorm: number): Promise<void> {
    const { config, updater } = this.#input;
    const { step, batch, allSkipped } = this.#progress;
    this.#isUpdating = true;
    await updater.apply(this.#gradients, {
      step: step + 1 - allSkipped,
      learningRate,
      weightDecay: config.weightDecay,
      gradientScale: Math.min(1, config.maxGradientNorm / (gradientNorm + 1e-6)),
    });
    this.#isUpdating = false;
    this.#progress = { ...this.#progress, step: step + 1, batch: batch + 1, skipped: 0 };
  }

  /** Passes over a step without a finite loss or gradient. @throws InputError when too many were in a row */
  async #skip(): Promise<void> {
    const { config, onEvent, learningRate } = this.#input;
    const step = this.#progress.step + 1;
    const skipped = this.#progress.skipped + 1;
    this.#progress = {
      ...this.#progress,
      step,
      batch: this.#progress.batch + 1,
      skipped,
      allSkipped: this.#progress.allSkipped + 1,
    };
    await onEvent({ kind: 'skipped', step, inARow: skipped });
    if (skipped >= config.maxSkippedSteps)
      throw new InputError(
        `${skipped} steps in a row had no finite loss or gradient; lower learningRate (${learningRate}). The last saved model is unchanged.`,
      );
  }

  /** Adds the gradients of the objective on the captions given, times `weight`. */
  async #crossEntropy(parts: readonly StepPart[], weight: number): Promise<StepLoss> {
    const { peers } = this.#input;
    const [words, captions, images, grounded] = await peers.sums([
      ...countsOf(parts),
      imagesOf(parts),
      parts.reduce((sum, { boxes }) => sum + (boxes?.count ?? 0), 0),
    ]);
    let loss = 0;
    let sums: ObjectiveSums = {};
    for (const part of parts) {
      const shares = {
        share: weight / Math.max(1, words),
        captionShare: weight / captions,
        imageShare: weight / images,
      };
      const result = await this.#objective.add({
        ...this.#feeds(part, part.text, shares),
        ...(part.boxes && {
          boxes: part.boxes.boxes,
          groundedShare: tensor('f32', [], Float32Array.of(weight / Math.max(1, grounded))),
        }),
      });
      loss += result.loss;
      sums = addSums(sums, result.sums);
    }
    ({ loss, sums } = await sumsOfAll(peers, loss, sums));
    const { contrastive, grounding, scorers, count = 1, ...perWord } = sums;
    const terms = Object.entries(perWord).map(([name, sum]) => [name, sum / Math.max(1, count)]);
    if (contrastive !== undefined) terms.push(['contrastive', contrastive / captions]);
    if (grounding !== undefined) terms.push(['grounding', grounding / Math.max(1, grounded)]);
    if (scorers !== undefined) terms.push(['scorers', scorers / images]);
    return { loss, terms: Object.fromEntries(terms) };
  }

  /** Adds the gradients of captions without pictures, where the run has some. */
  async #withTexts(pictures: StepLoss): Promise<StepLoss> {
    const { config, textFeed, peers } = this.#input;
    const session = this.#texts;
    if (!textFeed || !session) return pictures;
    const seed = dropoutSeed(config.seed, this.#progress.step, 3, ...others(peers));
    const { text, concepts } = textFeed(seed);
    const [count] = await peers.sums([text.count]);
    const weight = config.texts?.weight ?? 0;
    const result = await session.add({
      ...concepts,
      ids: tensor('i32', text.shape, text.ids),
      labels: tensor('i32', text.shape, text.labels),
      share: tensor('f32', [], Float32Array.of(weight / Math.max(1, count))),
      ...(config.dropout > 0 && { dropoutSeed: tensor('i32', [], Int32Array.of(seed)) }),
    });
    const [loss, base] = await peers.sums([result.loss, result.sums.base ?? 0]);
    const perWord = base / Math.max(1, count);
    return { loss: pictures.loss + loss, terms: { ...pictures.terms, texts: perWord } };
  }

  /** Adds the gradients of the policy's loss on drawn captions, and a share of the cross-entropy's. */
  async #selfCritical(sampler: Sampler, parts: readonly StepPart[]): Promise<StepLoss> {
    const { model, config, peers } = this.#input;
    const policy = this.#policy;
    if (!policy) throw new TypeError('self-critical training without its graph');
    const drawn: { part: StepPart; samples: Samples; text: TextBatch }[] = [];
    for (const part of parts) {
      const samples = await drawSamples(sampler, part.fed, part.places, part.seed);
      const text = textBatch(samples.captions, model.text_config.pad_token_id);
      drawn.push({ part, samples, text });
    }
    const [words, captions] = await peers.sums(countsOf(drawn));
    let loss = 0;
    let reward = 0;
    for (const { part, samples, text } of drawn) {
      const shares = { share: 1 / Math.max(1, words), captionShare: 0, imageShare: 0 };
      const advantages = tensor('f32', text.shape.slice(0, 2), samples.advantages);
      const result = await policy.add({ ...this.#feeds(part, text, shares), advantages });
      loss += result.loss;
      reward += (samples.reward * text.captions) / captions;
    }
    [loss, reward] = await peers.sums([loss, reward]);
    const { crossEntropy } = config.scst;
    if (crossEntropy === 0) return { loss, terms: { policy: loss, reward } };
    const mixed = await this.#crossEntropy(parts, crossEntropy);
    return { loss: loss + mixed.loss, terms: { policy: loss, reward, ...mixed.terms } };
  }

  #feeds(
    part: StepPart,
    text: TextBatch,
    { share, captionShare, imageShare }: Shares,
  ): Record<string, Tensor> {
    const { config, source } = this.#input;
    const number = (value: number) => tensor('f32', [], Float32Array.of(value));
    return {
      [source.kind]: part.fed.images,
      ...part.fed.concepts,
      ids: tensor('i32', text.shape, text.ids),
      labels: tensor('i32', text.shape, text.labels),
      share: number(share),
      ...((config.alignment?.contrastive ?? 0) > 0 && { captionShare: number(captionShare) }),
      ...(part.fed.targets && { ...part.fed.targets, imageShare: number(imageShare) }),
      ...(drawsDropout(config) && { dropoutSeed: tensor('i32', [], Int32Array.of(part.seed)) }),
    };
  }

  async #validate(): Promise<Pick<Progress, 'best' | 'sinceBest'>> {
    const { config, validator, signal, onEvent, onModel } = this.#input;
    if (!validator) throw new TypeError('the first rank has no validator');
    const started = performance.now();
    const found = await validator.run(signal);
    const { bestBy } = config;
    const value = bestBy === 'loss' ? -found.losses.base : (found.metrics?.[bestBy] ?? 0);
    const { best, sinceBest, step, epoch } = this.#progress;
    const isBest = best === null || value > best;
    const seconds = (performance.now() - started) / 1000;
    await onEvent({ kind: 'validation', step, epoch, best: isBest, seconds, ...found });
    await onModel(isBest);
    return { best: isBest ? value : best, sinceBest: isBest ? 0 : sinceBest + 1 };
  }

  [Symbol.dispose](): void {
    this.#objective[Symbol.dispose]();
    this.#policy?.[Symbol.dispose]();
    this.#texts?.[Symbol.dispose]();
  }
}

/** Tells the draws of further ranks from those of the first, which are those of one process. */
function others({ rank }: Peers): number[] {
  return rank === 0 ? [] : [rank];
}

/** Words and captions. */
function countsOf(parts: readonly { readonly text: TextBatch }[]): [number, number] {
  return [
    parts.reduce((sum, { text }) => sum + text.count, 0),
    parts.reduce((sum, { text }) => sum + text.captions, 0),
  ];
}

function imagesOf(parts: readonly StepPart[]): number {
  return parts.reduce((sum, { places }) => sum + places.length, 0);
}

/** Of all ranks; one without an image in a step has no sums. */
async function sumsOfAll(
  peers: Peers,
  loss: number,
  sums: ObjectiveSums,
): Promise<{ loss: number; sums: ObjectiveSums }> {
  const own = partNames.flatMap((name) => [sums[name] ?? 0, name in sums ? 1 : 0]);
  const [allLoss, ...all] = await peers.sums([loss, ...own]);
  const present = partNames.flatMap((name, i) =>
    all[2 * i + 1] > 0 ? [[name, all[2 * i]] as const] : [],
  );
  return { loss: allLoss, sums: Object.fromEntries(present) };
}

/** What a word, a caption and an image count in a step. */
interface Shares {
  readonly share: number;
  readonly captionShare: number;
  readonly imageShare: number;
}

interface StepLoss {
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
}
