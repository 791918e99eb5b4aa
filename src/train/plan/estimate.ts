/** From a rehearsal to what the whole run takes: time, memory, disk. Pure. */
import type { Exchange } from '../distributed/exchange.ts';
import { exchangeSeconds } from '../distributed/exchange.ts';
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
 * @param ranks machines that train together, each on `batchSize` images of a step; the first alone computes features and
 *   validates
 * @param exchange how gradients travel between them
 */
export function estimateStage(
  { runs, rehearsal }: RehearsedStage,
  ranks = 1,
  exchange?: Exchange,
): StageEstimate {
  const { whole, stepSeconds, features, validationSeconds } = rehearsal;
  const { config, images, units, trainedValues } = whole;
  const stepsPerEpoch = Math.ceil(units / (config.batchSize * ranks));
  const wanted = stepsPerEpoch * config.epochs;
  const steps = Math.min(wanted, config.maxSteps ?? wanted);
  const epochs = Math.ceil(steps / stepsPerEpoch);
  const own = mean(stepSeconds);
  const secondsPerStep = own + (exchange ? exchangeSeconds(ranks, trainedValues, exchange) : 0);
  const views = features ? images.train * config.views + images.dev : 0;
  const seconds = {
    features: runs * views * (features?.seconds ?? 0),
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

/** Seconds of all stages, one after the other. */
export function secondsOfAll(
  stages: readonly RehearsedStage[],
  ranks = 1,
  exchange?: Exchange,
): number {
  return sum(stages.map((stage) => estimateStage(stage, ranks, exchange).seconds.all));
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
