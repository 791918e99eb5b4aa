/** Writes a graph with its weights as an ONNX file; weights that are large stand in a file beside it. */
import { basename } from 'node:path';
import { writeFileAtomic } from '../base/files.ts';
import { type EncodedGraph, encodeOnnx, type Weight } from '../engine/onnx/encode.ts';
import type { PlannedWeight, WeightPlan } from './weights.ts';

/** Bytes of weights that one ONNX file may hold: readers of protobuf end at 2 GB, and need the room twice. */
export const mostInside = 2 ** 30;

/** Weights beside a file start at such places, so that a reader may map them. */
const alignment = 64;

/** A written file. */
export interface WrittenOnnx {
  readonly path: string;
  /** Bytes of the file and of the weights beside it. */
  readonly bytes: number;
  /** Whether there are such. */
  readonly hasDataFile: boolean;
  /** What the file says, without its bytes. */
  readonly graph: Omit<EncodedGraph, 'model'>;
}

/**
 * Writes the ONNX file at `path`, its weights inside or, where they pass `limit` bytes, at `path`_data. Of those
 * beside it one is in memory at a time.
 * @throws InputError when the disk is full; the signal's reason when aborted
 */
export async function writeOnnx(
  path: string,
  { outputs, weights }: WeightPlan,
  { limit = mostInside, signal }: { limit?: number; signal?: AbortSignal | undefined } = {},
): Promise<WrittenOnnx> {
  const total = [...weights.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const hasDataFile = total > limit;
  const baked = hasDataFile
    ? placesBeside(`${basename(path)}_data`, weights)
    : await inside(weights, signal);
  const { model, ...graph } = encodeOnnx(outputs, {
    standardOps: true,
    weight: (name) => baked.get(name),
  });
  await writeFileAtomic(path, model);
  if (hasDataFile) await writeFileAtomic(`${path}_data`, chunks(weights, signal));
  const bytes = model.length + (hasDataFile ? total : 0);
  return { path, bytes, hasDataFile, graph };
}

async function inside(
  weights: WeightPlan['weights'],
  signal: AbortSignal | undefined,
): Promise<Map<string, Weight>> {
  const baked = new Map<string, Weight>();
  for (const [name, weight] of weights) {
    signal?.throwIfAborted();
    baked.set(name, { dtype: weight.dtype, data: await weight.read() });
  }
  return baked;
}

function placesBeside(location: string, weights: WeightPlan['weights']): Map<string, Weight> {
  let offset = 0;
  return new Map(
    [...weights].map(([name, { dtype, byteLength }]) => {
      const weight: Weight = { dtype, location, offset, length: byteLength };
      offset += byteLength + padding(byteLength);
      return [name, weight];
    }),
  );
}

async function* chunks(
  weights: ReadonlyMap<string, PlannedWeight>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for (const weight of weights.values()) {
    signal?.throwIfAborted();
    yield await weight.read();
    yield new Uint8Array(padding(weight.byteLength));
  }
}

function padding(byteLength: number): number {
  return (alignment - (byteLength % alignment)) % alignment;
}
