/** A run's config.json: what it was made with, on what, and where. */
import { createHash } from 'node:crypto';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { version } from '../../base/version.ts';
import type { DatasetImage } from '../../data/datasets/dataset.ts';
import type { SavedRun } from '../checkpoint/resume.ts';
import type { TrainConfig } from '../config/config.ts';
import { alone } from '../distributed/peers.ts';
import type { RunOptions } from './options.ts';
import type { Start } from './start.ts';

/** What a run's config.json says of its data. */
export interface DescribedData {
  /** Tells data apart. */
  readonly fingerprint: string;
  /** Images of the train split, or that an epoch shows. */
  readonly train: number;
  readonly dev: number;
}

/** Of the images used and their captions. */
export function describeData(
  train: readonly DatasetImage[],
  dev: readonly DatasetImage[],
): DescribedData {
  const hash = createHash('sha256');
  for (const [split, images] of Object.entries({ train, dev }))
    for (const { id, captions } of images) hash.update(JSON.stringify([split, id, captions]));
  return { fingerprint: hash.digest('hex'), train: train.length, dev: dev.length };
}

/** Everything that config.json holds. */
export function describeRun(
  options: RunOptions,
  config: TrainConfig,
  start: Start,
  data: DescribedData,
) {
  const { threads, device, peers = alone } = options;
  const [cpu] = cpus();
  return {
    version: version(),
    seed: config.seed,
    train: config,
    start: { ...options.start, fingerprint: start.fingerprint },
    ranks: peers.size,
    data: { source: options.data, ...data },
    model: start.model,
    machine: {
      cpu: cpu?.model ?? 'unknown',
      cores: availableParallelism(),
      threads: threads ?? availableParallelism(),
      device: device ?? 'cpu',
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
  };
}

/** The part of it that must stay the same when the run goes on. */
export function asSaved({
  train: settings,
  start,
  ranks,
  data,
}: ReturnType<typeof describeRun>): SavedRun {
  return { train: { ...settings }, start, ranks, data };
}
