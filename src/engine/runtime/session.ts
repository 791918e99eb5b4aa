/** Runs graphs in ONNX Runtime. The only file that opens its sessions. */
import type * as ort from 'onnxruntime-node';
import { InputError } from '../../base/errors.ts';
import type { Value } from '../graph/graph.ts';
import {
  type EncodedGraph,
  type EncodeOptions,
  encodeOnnx,
  type GraphInput,
  type Weight,
} from '../onnx/encode.ts';
import type { OrtClasses } from './back-end/back-end.ts';
import { backEnd } from './back-end/node.ts';
import { checkFeeds, checkType, DeviceTensor, type Feeds } from './feeds.ts';
import type { SessionOptions } from './options.ts';
import { fromOrt, toOrt } from './ort-tensor.ts';
import { copyInto, type Tensor } from './tensor.ts';

export type { SessionOptions } from './options.ts';

/** The execution providers that are there. */
export function listDevices(): string[] {
  return backEnd.devices();
}

/** A graph ready to run. Dispose it with `using` or `dispose()`: its memory is not the garbage collector's. */
export class Session implements Disposable {
  readonly #session: ort.InferenceSession;
  readonly #classes: OrtClasses;
  readonly #inputs: ReadonlyMap<string, GraphInput>;
  readonly #outputs: ReadonlyMap<string, GraphInput>;
  readonly #profiled: boolean;
  readonly #keepsOnDevice: boolean;
  readonly #memoryLimit: number;
  readonly #peakBytes: EncodedGraph['peakBytes'];
  /** Sizes of inputs that were found to fit the limit. */
  readonly #fitting = new Set<string>();
  #disposed = false;

  private constructor(
    session: ort.InferenceSession,
    classes: OrtClasses,
    encoded: EncodedGraph,
    options: SessionOptions,
  ) {
    this.#session = session;
    this.#classes = classes;
    this.#inputs = new Map(encoded.inputs.map((spec) => [spec.name, spec]));
    this.#outputs = new Map(encoded.outputs.map((spec) => [spec.name, spec]));
    this.#memoryLimit = options.memoryLimit ?? Number.POSITIVE_INFINITY;
    this.#peakBytes = encoded.peakBytes;
    this.#profiled = options.profile !== undefined;
    this.#keepsOnDevice = (options.keepOnDevice ?? []).length > 0;
  }

  /**
   * Encodes the graph that `outputs` reach and opens it.
   * @throws InputError when the device is not there, or the graph needs something it lacks
   */
  static async open(
    outputs: Readonly<Record<string, Value>>,
    options: SessionOptions & EncodeOptions = {},
  ): Promise<Session> {
    const folder = options.externalFolder;
    if (folder === undefined) return Session.openEncoded(encodeOnnx(outputs, options), options);
    const { root, locate } = backEnd.weightFiles(folder, options.files);
    const spare: ArrayBuffer[] = [];
    const weight = (name: string): Weight | undefined => {
      const found = options.weight?.(name);
      if (!found) return undefined;
      if ('location' in found) return { ...found, location: locate(found.location) };
      if (found.spare) spare.push(found.data.buffer as ArrayBuffer);
      return found;
    };
    const encoded = encodeOnnx(outputs, { ...options, weight });
    // Weights that are in no file are in the model now, and ONNX Runtime copies them from there. The garbage collector,
    // which sees a few small objects, would leave them for long.
    backEnd.free(spare);
    const session = await Session.openEncoded(encoded, { ...options, externalFolder: root });
    backEnd.free([encoded.model.buffer as ArrayBuffer]);
    return session;
  }

  /**
   * Opens an encoded graph.
   * @throws InputError when the device is not there, or ONNX Runtime cannot open the graph on it
   */
  static async openEncoded(encoded: EncodedGraph, options: SessionOptions = {}): Promise<Session> {
    const device = options.device ?? 'cpu';
    if (!listDevices().includes(device))
      throw new InputError(
        `the device '${device}' is not available; this ${backEnd.name} has: ${listDevices().join(', ')}`,
      );
    const settings = backEnd.settings(device, options);
    const classes = await backEnd.load(device);
    const session = await classes.InferenceSession.create(encoded.model, settings).catch(
      (error: unknown) => {
        throw described(`the graph cannot be opened on '${device}'`, error);
      },
    );
    return new Session(session, classes, encoded, options);
  }

  /** Names, dtypes and shapes of what must be fed. */
  get inputs(): ReadonlyMap<string, GraphInput> {
    return this.#inputs;
  }

  /** Names, dtypes and shapes of what a run gives. */
  get outputs(): ReadonlyMap<string, GraphInput> {
    return this.#outputs;
  }

  /**
   * Runs the graph. Inputs are not copied; onnxruntime-node copies each output once, also those that
   * it writes where `into` says, whose copy is freed at once. A tensor of `into` may be the very one
   * that is also an input where every reader of the old value comes before the write.
   * @throws InputError naming an input that is missing, unknown or of the wrong dtype or shape, or
   * what ONNX Runtime found wrong, such as an index outside of its table
   */
  async run(
    feeds: Feeds,
    into: Readonly<Record<string, Tensor>> = {},
  ): Promise<Record<string, Tensor>> {
    const results = await this.#run(feeds, into);
    const copies = Object.keys(into).map((name) => results[name].data);
    if (!backEnd.writesInto)
      for (const [name, target] of Object.entries(into)) copyInto(target, fromOrt(results[name]));
    backEnd.free(copies.flatMap((data) => ('buffer' in data ? [data.buffer as ArrayBuffer] : [])));
    return Object.fromEntries(
      Object.entries(results).map(([name, value]) => [name, into[name] ?? fromOrt(value)]),
    );
  }

  /** Like `run`, for sessions opened with `keepOnDevice`: those outputs come back as device tensors. */
  async runOnDevice(feeds: Feeds): Promise<Record<string, DeviceTensor | Tensor>> {
    const results = await this.#run(feeds, {});
    return Object.fromEntries(
      Object.entries(results).map(([name, value]) => [
        name,
        value.location === 'cpu'
          ? fromOrt(value)
          : new DeviceTensor(value, this.#outputs.get(name)?.dtype ?? 'f32'),
      ]),
    );
  }

  async #run(
    feeds: Feeds,
    into: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, ort.Tensor>> {
    if (this.#disposed) throw new Error('the session was disposed');
    this.#checkMemory(checkFeeds(feeds, this.#inputs));
    for (const [name, value] of Object.entries(into)) {
      const spec = this.#outputs.get(name);
      if (!spec) throw new InputError(`the graph has no output '${name}'`);
      if (this.#keepsOnDevice)
        throw new InputError(
          `'${name}' cannot be written into: the session keeps outputs on its device`,
        );
      checkType('output', value, spec);
    }
    const raw: Record<string, ort.Tensor> = {};
    for (const [name, value] of Object.entries(feeds))
      raw[name] = value instanceof DeviceTensor ? value.raw : toOrt(this.#classes, value);
    const target = (name: string) =>
      backEnd.writesInto && into[name] ? toOrt(this.#classes, into[name]) : null;
    const fetches = Object.fromEntries(
      this.#session.outputNames.map((name) => [name, target(name)]),
    );
    const results = await this.#session.run(raw, fetches).catch((error: unknown) => {
      throw described('the graph cannot be run', error);
    });
    return results as Record<string, ort.Tensor>;
  }

  #checkMemory(sizes: ReadonlyMap<string, number>): void {
    if (this.#memoryLimit === Number.POSITIVE_INFINITY) return;
    const key = [...sizes].join();
    if (this.#fitting.has(key)) return;
    const needed = this.#peakBytes(sizes);
    if (needed > this.#memoryLimit) {
      const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20);
      const named = [...sizes].map(([name, size]) => `${name} ${size}`).join(', ');
      throw new InputError(
        `the graph needs about ${mebibytes(needed)} MiB for inputs of ${named || 'these sizes'}, more than the memory limit of ${mebibytes(this.#memoryLimit)} MiB; feed less at a time`,
      );
    }
    this.#fitting.add(key);
  }

  /** Frees the session. Twice is once. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#profiled) this.#session.endProfiling();
    // Releasing is synchronous underneath; the promise only tells of errors.
    this.#session.release().catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** What ONNX Runtime says, as one line. */
function described(what: string, error: unknown): InputError {
  const message = error instanceof Error ? error.message : String(error);
  return new InputError(`${what}: ${message.replaceAll(/\s*\n\s*/g, ' ').trim()}`, {
    cause: error,
  });
}
