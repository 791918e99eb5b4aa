/** A checkpoint's tensors under the names of the graph's parameters, checked to the last one. */
import { firstFew, InputError } from '../../base/errors.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import { Scope } from '../../nn/scope.ts';
import { type RoundedTensor, widening } from '../../weights/rounded.ts';
import type { LazyWeight } from '../../weights/safetensors/write.ts';
import {
  fromFloat32,
  toFloat32,
  type WeightInfo,
  type WeightSource,
} from '../../weights/weight.ts';
import { encoderGraph, stepGraph } from '../blip.ts';
import type { BlipConfig } from '../config.ts';
import { describeOtherFamily } from './families.ts';
import {
  fromOriginalName,
  type NameLayout,
  nameLayoutOf,
  plainNames,
  positionIdNames,
  positionTableNames,
  tiedNames,
} from './names.ts';
import { interpolatePositions } from './position-embedding.ts';

/** Names and shapes of all parameters that a captioner of this config has. */
export function modelParameters(config: BlipConfig): Scope['parameters'] {
  const scope = new Scope();
  encoderGraph(scope, config);
  stepGraph(scope, config.text_config);
  return scope.parameters;
}

/** The weights of an opened checkpoint, read on demand. */
export interface PretrainedWeights extends AsyncDisposable {
  /** The weight file or index. */
  readonly path: string;
  readonly layout: NameLayout;
  /** Parameter names with their shapes and the format in which they are stored. */
  readonly tensors: ReadonlyMap<string, WeightInfo>;
  /** A parameter as f32, into `target` if given. */
  readFloat32(name: string, target?: Float32Array): Promise<Float32Array>;
  /** A parameter that is stored in 8 bits, as it is stored; undefined for any other. */
  rounded(name: string): RoundedTensor | undefined;
  /** All parameters for writing them elsewhere, one in memory at a time. */
  lazy(): Iterable<[string, LazyWeight]>;
  /** Fills those parameters of the store that the checkpoint has; all of them, for the same config. */
  fill(store: ParameterStore): Promise<void>;
}

export interface PretrainedWeightsOptions {
  /** Interpolate position embeddings that are of another image size. Always done for the original layout. */
  readonly interpolate?: boolean;
}

/**
 * Matches a checkpoint with the config's parameters. Owns `stored` from then on.
 * Prefixes of wrappers are taken off; duplicates of tied tensors and position buffers are checked for equality
 * and then left out.
 * @throws InputError saying what other model it is, or naming the first missing, unexpected and wrongly shaped
 *   tensors (`details`: all)
 */
export async function matchWeights(
  stored: WeightSource,
  config: BlipConfig,
  options: PretrainedWeightsOptions = {},
): Promise<PretrainedWeights> {
  const source = widening(stored);
  const names = plainNames(source.tensors.keys());
  const layout = nameLayoutOf(names);
  const found = tensorsByParameter(
    source,
    layout === 'original' ? names.map(fromOriginalName) : names,
  );
  const parameters = modelParameters(config);
  const wanted = new Map(parameters.map(({ name, shape }) => [name, shape]));
  await leaveOutDuplicates(source, found, wanted);
  const interpolated = layout === 'original' || options.interpolate === true;
  checkNames(source, found, wanted, interpolated);

  const tensors = new Map<string, WeightInfo>();
  for (const [name, shape] of wanted) {
    const info = found.get(name);
    if (info)
      tensors.set(name, sameSizes(info.shape, shape) ? { ...info, shape } : moved(info, shape));
  }
  const readFloat32 = async (name: string, target?: Float32Array): Promise<Float32Array> => {
    const info = found.get(name);
    const shape = wanted.get(name);
    if (!info || !shape) throw new InputError(`${source.path} has no tensor '${name}'.`);
    if (sameSizes(info.shape, shape)) return source.readFloat32(info.name, target);
    const [, rows, width] = shape;
    const table = await source.readFloat32(info.name);
    const values = interpolatePositions(table, width, Math.sqrt(rows - 1));
    target?.set(values);
    return target ?? values;
  };
  return {
    path: source.path,
    layout,
    tensors,
    readFloat32,
    rounded(name) {
      const info = found.get(name);
      // A table of positions that is made for another size is computed.
      const isSame = info && sameSizes(info.shape, wanted.get(name) ?? []);
      return isSame ? source.rounded(info.name) : undefined;
    },
    *lazy() {
      for (const [name, { dtype, shape }] of tensors) {
        const info = found.get(name);
        const asStored = info !== undefined && sameSizes(info.shape, shape);
        const read = async () =>
          asStored
            ? (await source.read(info.name)).data
            : fromFloat32(await readFloat32(name), shape).data;
        yield [name, { dtype: asStored ? dtype : 'f32', shape, read }];
      }
    },
    async fill(store) {
      for (const name of store.names)
        if (tensors.has(name)) await readFloat32(name, store.tensor(name).data);
    },
    [Symbol.asyncDispose]: () => source.close(),
  };
}

/**
 * @param names The parameters that the tensors of `source` are, in their order.
 * @throws InputError where two tensors are the same parameter
 */
function tensorsByParameter(
  source: WeightSource,
  names: readonly string[],
): Map<string, WeightInfo> {
  const found = new Map<string, WeightInfo>();
  for (const [i, info] of [...source.tensors.values()].entries()) {
    const other = found.get(names[i]);
    if (other)
      throw new InputError(
        `${source.path}: '${other.name}' and '${info.name}' are both ${names[i]}.`,
      );
    found.set(names[i], info);
  }
  return found;
}

/** What is known of a tensor that is computed on reading: it lies nowhere as it is. */
function moved({ name }: WeightInfo, shape: readonly number[]): WeightInfo {
  return { name, dtype: 'f32', shape, byteLength: 4 * shape.reduce((n, d) => n * d, 1) };
}

/** Takes tied duplicates and position buffers out of `found` once they are known to say nothing new. */
async function leaveOutDuplicates(
  source: WeightSource,
  found: Map<string, WeightInfo>,
  wanted: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  for (const name of positionIdNames) {
    const info = found.get(name);
    if (!info) continue;
    const ids = toFloat32(await source.read(info.name));
    if (ids.some((id, i) => id !== i))
      throw new InputError(`${source.path}: '${name}' is not 0, 1, 2, ..., as in every BLIP.`);
    found.delete(name);
  }
  for (const [duplicate, name] of tiedNames) {
    const info = found.get(duplicate);
    if (!info || wanted.has(duplicate)) continue;
    const first = found.get(name);
    if (first) {
      if (!(await sameValues(source, info, first)))
        throw new InputError(
          `${source.path}: '${duplicate}' differs from '${name}', but BLIP ties the two: this is another kind of model.`,
        );
    } else found.set(name, info);
    found.delete(duplicate);
  }
}

async function sameValues(source: WeightSource, a: WeightInfo, b: WeightInfo): Promise<boolean> {
  if (!sameSizes(a.shape, b.shape)) return false;
  const sharesBytes =
    a.location !== undefined &&
    a.location.path === b.location?.path &&
    a.location.offset === b.location.offset;
  if (sharesBytes && a.dtype === b.dtype) return true;
  const [x, y] = [await source.read(a.name), await source.read(b.name)];
  if (x.dtype === y.dtype) return sameBytes(x.data, y.data);
  const right = toFloat32(y);
  return toFloat32(x).every((value, i) => value === right[i]);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}

function checkNames(
  source: WeightSource,
  found: ReadonlyMap<string, WeightInfo>,
  wanted: ReadonlyMap<string, readonly number[]>,
  interpolated: boolean,
): void {
  const missing: string[] = [];
  const wrong: string[] = [];
  for (const [name, shape] of wanted) {
    const info = found.get(name);
    const mayMove = interpolated && positionTableNames.has(name);
    if (!info) missing.push(name);
    else if (!sameSizes(info.shape, shape) && !(mayMove && isTable(info.shape, shape)))
      wrong.push(`${name} is [${info.shape.join(', ')}] and must be [${shape.join(', ')}]`);
  }
  const extra = [...found.keys()].filter((name) => !wanted.has(name));
  if (missing.length + extra.length + wrong.length === 0) return;
  const lists = [
    ['missing', missing],
    ['unexpected', extra],
    ['wrongly shaped', wrong],
  ] as const;
  const details = lists.flatMap(([what, list]) => list.map((name) => `${what}: ${name}`));
  const other =
    missing.length + extra.length > 0 ? describeOtherFamily([...found.keys()]) : undefined;
  if (other !== undefined) throw new InputError(`${source.path}: ${other}.`, { details });
  const parts = lists.flatMap(([what, list]) =>
    list.length > 0 ? [`${what}: ${firstFew(list)}`] : [],
  );
  const all = lists.some(([, list]) => list.length > 3) ? ' (--verbose lists all)' : '';
  throw new InputError(`${source.path} does not fit its config.json. ${parts.join('; ')}${all}.`, {
    details,
  });
}

/** Whether a position table can be interpolated to the wanted one. */
function isTable(shape: readonly number[], wanted: readonly number[]): boolean {
  const rows = shape[1] - 1;
  return (
    shape.length === 3 &&
    shape[0] === 1 &&
    shape[2] === wanted[2] &&
    rows > 0 &&
    Number.isInteger(Math.sqrt(rows))
  );
}

function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
