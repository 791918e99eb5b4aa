/** From a rehearsal to what the whole run takes: time, memory, disk. Pure. */
import type { Exchange } from '../distributed/exchange.ts';
import { exchangeSeconds } from '../distributed/exchange.ts';
import type { WholeRun } from '../loop/options.ts';
import type { RehearsedStage } from './rehearse.ts';

/** Of one stage; seconds and bytes of all its runs together. */
export interface StageEstimate {
  readonly stepsPerEpoch: number;
  readonly epochs: number;
  /** Of one run. */
  readonly steps: number;
  readonly secondsPerStep: number;
  readonly seconds: {
    readonly features: number;
    readonly steps: number;
    readonly validations: number;
    readonly all: number;
  };
  /** What is left on the disk. */
  readonly bytes: {
    readonly features: number;
    readonly checkpoints: number;
    readonly models: number;
    readonly all: number;
  };
}

/**
 * @param ranks machines that train together, each on `batchSize` images of a step; the first alone validates and
 *   computes features, but of a stream those of the training images are computed by all
 * @param exchange how gradients travel between them
 */
export function estimateStage(
  { runs, rehearsal }: RehearsedStage,
  ranks = 1,
  exchange?: Exchange,
): StageEstimate {
  const { whole, stepSeconds, features, validationSeconds } = rehearsal;
  const { config, images, trainedValues } = whole;
  const stepsPerEpoch = stepsOfEpoch(whole, ranks);
  const wanted = stepsPerEpoch * config.epochs;
  const steps = Math.min(wanted, config.maxSteps ?? wanted);
  const epochs = Math.ceil(steps / stepsPerEpoch);
  const own = mean(stepSeconds);
  const secondsPerStep = own + (exchange ? exchangeSeconds(ranks, trainedValues, exchange) : 0);
  const ofTrain = features ? images.train * config.views : 0;
  const views = features ? ofTrain + images.dev : 0;
  const ownViews = whole.shards === undefined ? views : views - ofTrain * (1 - 1 / ranks);
  const seconds = {
    features: runs * ownViews * (features?.seconds ?? 0),
    steps: runs * steps * secondsPerStep,
    validations: runs * epochs * validationSeconds,
  };
  const saved = Math.min(
    config.keepCheckpoints,
    epochs + Math.floor(steps / config.checkpointEvery),
  );
  const bytes = {
    features: runs * views * (features?.bytes ?? 0),
    checkpoints: runs * saved * rehearsal.checkpointBytes,
    models: runs * 2 * rehearsal.modelBytes,
  };
  return {
    ...{ stepsPerEpoch, epochs, steps, secondsPerStep },
    seconds: { ...seconds, all: sum(Object.values(seconds)) },
    bytes: { ...bytes, all: sum(Object.values(bytes)) },
  };
}

/** A stream leaves out what is less than a step. */
function stepsOfEpoch({ config, units, shards }: WholeRun, ranks: number): number {
  const steps = units / (config.batchSize * ranks);
  return shards === undefined ? Math.ceil(steps) : Math.floor(steps);
}

/** Whether so many machines can train it: of a stream each needs a shard, and all together the pictures of a step. */
function isEnoughFor(ranks: number, { rehearsal: { whole } }: RehearsedStage): boolean {
  return stepsOfEpoch(whole, ranks) > 0 && (whole.shards ?? ranks) >= ranks;
}

/** Seconds of all stages, one after the other; infinite where so many machines cannot train one of them. */
export function secondsOfAll(
  stages: readonly RehearsedStage[],
  ranks = 1,
  exchange?: Exchange,
): number {
  if (!stages.every((stage) => isEnoughFor(ranks, stage))) return Number.POSITIVE_INFINITY;
  return sum(stages.map((stage) => estimateStage(stage, ranks, exchange).seconds.all));
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
