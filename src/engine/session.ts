/** Runs graphs in ONNX Runtime. The only file that opens its sessions. */
import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { InputError } from '../base/errors.ts';
import type { Value } from './graph.ts';
import { type EncodedGraph, type EncodeOptions, encodeOnnx } from './onnx.ts';
import { fromOrt, toOrt } from './ort-tensor.ts';
import { printShape, type Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** Where and how a graph runs. */
export interface SessionOptions {
  /** An execution provider by ONNX Runtime's name: 'cpu', 'webgpu', or another that is installed. Default 'cpu'. */
  readonly device?: string;
  /** Threads of the CPU provider. Default: all cores. */
  readonly threads?: number;
  /**
   * Keeps freed activations for the next run (default true). False gives memory back to the system
   * after each use: slower, smaller.
   */
  readonly arena?: boolean;
  /** Prefix of a JSON trace that ONNX Runtime writes when the session is disposed. */
  readonly profile?: string;
  /** Outputs that stay on the device, to be fed to the next run without a copy. Not for 'cpu'. */
  readonly keepOnDevice?: readonly string[];
  /** Files that the model's baked-in weights point into, by the location that it names. */
  readonly externalFiles?: readonly { readonly location: string; readonly file: string }[];
  /** Further settings of ONNX Runtime, by its own keys, such as 'session.disable_prepacking'. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** A value on a device, as a run with `keepOnDevice` gives it: feed it again, or dispose it. */
export class DeviceTensor implements Disposable {
  readonly raw: ort.Tensor;
  constructor(raw: ort.Tensor) {
    this.raw = raw;
  }
  [Symbol.dispose](): void {
    this.raw.dispose();
  }
}

export type Feed = Tensor | DeviceTensor;

/** What a run writes into: tensors of the right size, by output name. */
export type Feeds = Readonly<Record<string, Feed>>;

/** The execution providers that this onnxruntime-node has. */
export function listDevices(): string[] {
  return ort.listSupportedBackends().map((backend) => backend.name);
}

/** A graph ready to run. Dispose it with `using` or `dispose()`: its memory is not the garbage collector's. */
export class Session implements Disposable {
  readonly #session: ort.InferenceSession;
  readonly #inputs: ReadonlyMap<string, { shape: Shape; dtype: string }>;
  readonly #profiled: boolean;
  #disposed = false;

  private constructor(session: ort.InferenceSession, encoded: EncodedGraph, profiled: boolean) {
    this.#session = session;
    this.#inputs = new Map(encoded.inputs.map((spec) => [spec.name, spec]));
    this.#profiled = profiled;
  }

  /**
   * Encodes the graph that `outputs` reach and opens it.
   * @throws InputError when the device is not there, or the graph needs something it lacks
   */
  static async open(
    outputs: Readonly<Record<string, Value>>,
    options: SessionOptions & EncodeOptions = {},
  ): Promise<Session> {
    return Session.openEncoded(encodeOnnx(outputs, options), options);
  }

  /** Opens an encoded graph. */
  static async openEncoded(encoded: EncodedGraph, options: SessionOptions = {}): Promise<Session> {
    const device = options.device ?? 'cpu';
    if (!listDevices().includes(device))
      throw new InputError(
        `the device '${device}' is not available; this onnxruntime-node has: ${listDevices().join(', ')}`,
      );
    const session = await ort.InferenceSession.create(encoded.model, ortOptions(device, options));
    return new Session(session, encoded, options.profile !== undefined);
  }

  /** Names, dtypes and shapes of what must be fed. */
  get inputs(): ReadonlyMap<string, { shape: Shape; dtype: string }> {
    return this.#inputs;
  }

  /**
   * Runs the graph. Inputs are not copied. An output named in `into` is written there; it may be the
   * very tensor that is also an input where every reader of the old value comes before the write.
   * @throws InputError naming an input that is missing, unknown or of the wrong dtype or shape
   */
  async run(
    feeds: Feeds,
    into: Readonly<Record<string, Tensor>> = {},
  ): Promise<Record<string, Tensor>> {
    const results = await this.#run(feeds, into);
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
        value.location === 'cpu' ? fromOrt(value) : new DeviceTensor(value),
      ]),
    );
  }

  async #run(
    feeds: Feeds,
    into: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, ort.Tensor>> {
    if (this.#disposed) throw new Error('the session was disposed');
    const raw: Record<string, ort.Tensor> = {};
    for (const [name, value] of Object.entries(feeds)) {
      if (value instanceof DeviceTensor) raw[name] = value.raw;
      else {
        checkFeed(name, value, this.#inputs.get(name));
        raw[name] = toOrt(value);
      }
    }
    for (const name of this.#inputs.keys())
      if (!(name in raw)) throw new InputError(`the input '${name}' is missing`);
    const fetches = Object.fromEntries(
      this.#session.outputNames.map((name) => [name, into[name] ? toOrt(into[name]) : null]),
    );
    const results = await this.#session.run(raw, fetches);
    return results as Record<string, ort.Tensor>;
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

function ortOptions(device: string, options: SessionOptions): ort.InferenceSession.SessionOptions {
  const { keepOnDevice, profile, externalFiles } = options;
  return {
    executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
    intraOpNumThreads: options.threads ?? availableParallelism(),
    enableCpuMemArena: options.arena ?? true,
    logSeverityLevel: 3,
    ...(keepOnDevice && {
      preferredOutputLocation: Object.fromEntries(
        keepOnDevice.map((name) => [name, 'gpu-buffer' as const]),
      ),
    }),
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
    ...(externalFiles && {
      externalData: externalFiles.map(({ location, file }) => ({ path: location, data: file })),
    }),
    ...(options.extra && { extra: options.extra }),
  };
}

function checkFeed(
  name: string,
  value: Tensor,
  spec: { shape: Shape; dtype: string } | undefined,
): void {
  if (!spec) throw new InputError(`the graph has no input '${name}'`);
  const fits =
    value.dtype === spec.dtype &&
    value.shape.length === spec.shape.length &&
    spec.shape.every((d, i) => typeof d !== 'number' || d === value.shape[i]);
  if (!fits)
    throw new InputError(
      `the input '${name}' must be ${spec.dtype}${printShape(spec.shape)}, not ${value.dtype}${printShape(value.shape)}`,
    );
}
