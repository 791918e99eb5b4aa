/** A run's config.json: what it was made with, on what, and where. */
import { createHash } from 'node:crypto';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { version } from '../../base/version.ts';
import type { SavedRun } from '../checkpoint/resume.ts';
import type { TrainConfig } from '../config/config.ts';
import { alone } from '../distributed/peers.ts';
import type { RunData } from './data.ts';
import type { RunOptions } from './options.ts';
import type { Start } from './start.ts';

/** Tells data apart: the images used and their captions. */
function fingerprintOf(data: RunData): string {
  const hash = createHash('sha256');
  for (const [split, images] of Object.entries(data))
    for (const { id, captions } of images) hash.update(JSON.stringify([split, id, captions]));
  return hash.digest('hex');
}

/** Everything that config.json holds. */
export function describeRun(options: RunOptions, config: TrainConfig, start: Start, data: RunData) {
  const { threads, device, peers = alone } = options;
  const [cpu] = cpus();
  return {
    version: version(),
    seed: config.seed,
    train: config,
    start: { ...options.start, fingerprint: start.fingerprint },
    ranks: peers.size,
    data: {
      source: options.data,
      fingerprint: fingerprintOf(data),
      train: data.train.length,
      dev: data.dev.length,
    },
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
