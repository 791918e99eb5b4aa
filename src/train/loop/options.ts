/** What a run is told: where things are, where it computes, whom it tells. */
import { UsageError } from '../../base/errors.ts';
import type { ResolveOptions } from '../../hub/resolve.ts';
import type { TrainConfig } from '../config/config.ts';
import type { Peers } from '../distributed/peers.ts';
import type { DataOptions, RunData } from './data.ts';
import type { TrainingEvent } from './trainer.ts';

/** What a whole run is made of, as known before its first step. */
export interface WholeRun {
  readonly config: TrainConfig;
  readonly images: { readonly train: number; readonly dev: number };
  /** Captions of the training images, or of those that an epoch shows of a stream. */
  readonly captions: number;
  /** Whether the captions are reckoned from some of the images. */
  readonly isGuess?: boolean;
  /** Train shards of a stream. */
  readonly shards?: number;
  /** Images that an epoch shows, one as often as it is shown. */
  readonly units: number;
  readonly trainedValues: number;
}

/** A short run in place of the whole. */
export interface ShortRun {
  /** Training images that it needs at least; a stream reads no more where it computes features of them. */
  readonly trainImages: number;
  /** The images that are opened; all else is decided by all of them. */
  show(data: RunData): RunData;
  onWhole(whole: WholeRun): void;
}

export interface RunOptions extends DataOptions {
  /** What to start from: a folder with a pretrained vision tower, or a captioner. */
  readonly start: { readonly tower: string } | { readonly model: string };
  /** The run's folder. */
  readonly output: string;
  readonly config: TrainConfig;
  /** Go on with the run in the folder, from its newest checkpoint. */
  readonly resume?: boolean;
  /** Go on although settings, start or data differ. */
  readonly allowChanges?: boolean;
  readonly threads?: number;
  readonly device?: string;
  /** Bytes that a step's values may take: micro-batches are chosen to fit. */
  readonly memoryLimit?: number;
  /** Where computed image features are kept; default: `features` in the run's folder. */
  readonly cache?: string;
  /** The processes that train the model together; each is given the same options. Default: this one alone. */
  readonly peers?: Peers;
  /** Makes it a rehearsal. */
  readonly short?: ShortRun;
  readonly hub?: ResolveOptions;
  readonly signal?: AbortSignal;
  /** A sentence for the person. */
  onNote(note: string): void;
  /** Likewise, of what is wrong with shards that a stream comes to; default: `onNote`. */
  onFault?(note: string): void;
  onFeatures(done: number, total: number): void;
  onEvent(event: TrainingEvent): void;
}

/**
 * Finds out before any work what would stop a run late.
 * @throws UsageError naming the option that is wrong
 */
export function checkRunOptions({ threads, memoryLimit }: RunOptions): void {
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads > 0))
    throw new UsageError(`threads (${threads}) must be a whole number from 1 on`);
  if (memoryLimit !== undefined && !(memoryLimit > 0))
    throw new UsageError(`the memory limit (${memoryLimit} bytes) must be more than 0`);
}

/** Not every GPU has 16-bit floats; the CPU does, and reads half as much. */
export function tokensDtype({ device = 'cpu' }: RunOptions): 'f16' | 'f32' {
  return device === 'cpu' ? 'f16' : 'f32';
}

/** Where sessions of the run compute. */
export function trainingSession({ threads, device }: RunOptions): {
  threads?: number;
  device?: string;
} {
  return { ...(threads !== undefined && { threads }), ...(device !== undefined && { device }) };
}
