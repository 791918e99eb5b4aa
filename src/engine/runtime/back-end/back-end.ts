/**
 * What sessions need of the ONNX Runtime that runs them. node.ts is the one that sources import; where a
 * bundler builds for browsers, package.json's `browser` field puts web.ts in its place.
 */
import type * as ort from 'onnxruntime-node';
import type { SessionOptions } from '../options.ts';

/** The classes of an ONNX Runtime. A run accepts only tensors of its own runtime's class. */
export type OrtClasses = Pick<typeof ort, 'InferenceSession' | 'Tensor'>;

/** One of the programs that run graphs. */
export interface BackEnd {
  /** The npm package, for messages. */
  readonly name: string;
  /** Whether a run writes outputs into the memory that it is given; else they are copied there. */
  readonly writesInto: boolean;
  /** Execution providers that are there. */
  devices(): string[];
  /** The classes that run graphs on this device. */
  load(device: string): Promise<OrtClasses>;
  /** @throws InputError naming an option that it cannot follow */
  settings(device: string, options: SessionOptions): ort.InferenceSession.SessionOptions;
  /**
   * How weights that stay in their files are named: relative to a root, from where ONNX Runtime opens them.
   * @param folder what their locations are relative to
   * @param files those in memory
   */
  weightFiles(folder: string, files: SessionOptions['files']): WeightFiles;
  /** Frees buffers without waiting for the garbage collector, where that can be done. */
  free(buffers: readonly ArrayBuffer[]): void;
  /** Whether its products of unsigned and signed bytes never saturate on this processor. */
  hasExactInt8(): boolean;
  /** Whether its products with 8-bit weights in blocks are fast, and never saturate, on this processor. */
  hasFastBlocks(): boolean;
}

export interface WeightFiles {
  readonly root: string;
  /** A location from the root. @throws InputError where there are no files */
  locate(location: string): string;
}
