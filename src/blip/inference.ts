/** The sessions of a captioner: images to keys and values once, then one run a word. */
import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Value } from '../engine/graph.ts';
import type { Weight } from '../engine/onnx.ts';
import { Session, type SessionOptions } from '../engine/session.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { Scope } from '../nn/scope.ts';
import type { BlipConfig } from './config.ts';
import { encoderGraph, stepGraph } from './model.ts';
import type { PretrainedWeights } from './pretrained-weights.ts';

export interface InferenceOptions {
  /** Execution provider by ONNX Runtime's name. Default 'cpu'. */
  readonly device?: string;
  /** Threads of the CPU provider. Default: all cores. */
  readonly threads?: number;
}

/** What the decoder reads of a batch of images: keys and values of every layer. */
export interface EncodedImages {
  readonly count: number;
  /** [images, tokens, width]. */
  readonly tokens: Tensor;
  /** `crossKey.N` and `crossValue.N`, each [images, heads, tokens, headWidth]. */
  readonly cross: Readonly<Record<string, Tensor>>;
}

/** Scores of the next word for each row (image by image, beam by beam). */
export interface StepScores {
  /** [rows, vocabulary]. */
  readonly logits: Float32Array;
  /** Log of the sum of exponentials of each row's logits: logit minus this is the log-probability. */
  readonly normalizer: Float32Array;
}

/** A captioner's graphs, opened with the weights baked in. */
export class Inference implements Disposable {
  readonly config: BlipConfig;
  readonly #encoder: Session;
  readonly #step: Session;

  private constructor(config: BlipConfig, encoder: Session, step: Session) {
    this.config = config;
    this.#encoder = encoder;
    this.#step = step;
  }

  /** Opens both sessions; the weights are read from their file by ONNX Runtime where it can. */
  static async open(
    config: BlipConfig,
    weights: PretrainedWeights,
    options: InferenceOptions = {},
  ): Promise<Inference> {
    const encoder = await openSession((s) => encoderGraph(s, config), weights, options);
    try {
      const step = await openSession((s) => stepGraph(s, config.text_config), weights, options);
      return new Inference(config, encoder, step);
    } catch (error) {
      encoder.dispose();
      throw error;
    }
  }

  /** pixels f32 [images, 3, size, size], normalised -> what decoding needs of them. */
  async encode(pixels: Tensor): Promise<EncodedImages> {
    const { tokens, ...cross } = await this.#encoder.run({ pixels });
    return { count: pixels.shape[0], tokens, cross };
  }

  /** Starts writing for every image; nothing is run yet. */
  decode(images: EncodedImages): Decoding {
    return new Decoding(this.#step, this.config, images);
  }

  [Symbol.dispose](): void {
    this.#encoder.dispose();
    this.#step.dispose();
  }
}

/** The cache of one batch's decoding. Rows may be reordered and images dropped between steps. */
export class Decoding {
  readonly #step: Session;
  #images: number;
  #cross: Readonly<Record<string, Tensor>>;
  #past: Readonly<Record<string, Tensor>>;

  constructor(step: Session, { text_config: text }: BlipConfig, images: EncodedImages) {
    this.#step = step;
    this.#images = images.count;
    this.#cross = images.cross;
    const { num_attention_heads: heads, hidden_size: width } = text;
    const empty = tensor('f32', [images.count, heads, 0, width / heads]);
    const past: Record<string, Tensor> = {};
    for (let i = 0; i < text.num_hidden_layers; i++) {
      past[`pastKey.${i}`] = empty;
      past[`pastValue.${i}`] = empty;
    }
    this.#past = past;
  }

  /** Images that are still written for. */
  get images(): number {
    return this.#images;
  }

  /**
   * Goes on with these images (places among the present ones) and rows: row i continues present row
   * `parents[i]`. There must be as many rows for each image, in the images' order.
   */
  select(images: readonly number[], parents: readonly number[]): void {
    if (!isIdentity(images, this.#images)) {
      this.#cross = gatherRows(this.#cross, images);
      this.#images = images.length;
    }
    const rows = Object.values(this.#past)[0].shape[0];
    if (!isIdentity(parents, rows)) this.#past = gatherRows(this.#past, parents);
  }

  /** Appends `length` ids to every row ([rows, length], row-major) and scores what may follow. */
  async step(ids: Int32Array, length: number): Promise<StepScores> {
    const beams = ids.length / length / this.#images;
    const shape = [this.#images, beams, length];
    const { logits, normalizer, ...present } = await this.#step.run({
      ids: tensor('i32', shape, ids),
      ...this.#cross,
      ...this.#past,
    });
    this.#past = Object.fromEntries(
      Object.entries(present).map(([name, value]) => [name.replace('present', 'past'), value]),
    );
    return { logits: asFloats(logits), normalizer: asFloats(normalizer) };
  }
}

function asFloats({ data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new TypeError('the graph gave something other than f32');
}

function isIdentity(places: readonly number[], length: number): boolean {
  return places.length === length && places.every((place, i) => place === i);
}

/** The given rows (first dimension) of each tensor. */
function gatherRows(
  tensors: Readonly<Record<string, Tensor>>,
  rows: readonly number[],
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, value]) => {
      const size = value.data.length / value.shape[0];
      const data = new Float32Array(rows.length * size);
      const source = asFloats(value);
      for (const [i, row] of rows.entries())
        data.set(source.subarray(row * size, (row + 1) * size), i * size);
      return [name, tensor('f32', [rows.length, ...value.shape.slice(1)], data)];
    }),
  );
}

async function openSession(
  build: (scope: Scope) => Record<string, Value>,
  weights: PretrainedWeights,
  options: InferenceOptions,
): Promise<Session> {
  const scope = new Scope();
  const outputs = build(scope);
  const baked = new Map<string, Weight>();
  const folders = new Set<string>();
  for (const { name } of scope.parameters) {
    const info = weights.tensors.get(name);
    if (info?.location && (info.dtype === 'f32' || info.dtype === 'f16')) {
      // The real file, since ONNX Runtime refuses links that lead out of the folder.
      const path = await realpath(info.location.path);
      folders.add(dirname(path));
      const { offset } = info.location;
      const location = basename(path);
      baked.set(name, { dtype: info.dtype, location, offset, length: info.byteLength });
    } else baked.set(name, await inMemory(weights, name));
  }
  const [folder] = folders;
  if (folders.size > 1)
    for (const { name } of scope.parameters) baked.set(name, await inMemory(weights, name));
  const session: SessionOptions = {
    ...(options.device !== undefined && { device: options.device }),
    ...(options.threads !== undefined && { threads: options.threads }),
    ...(folders.size === 1 && {
      extra: { 'session.model_external_initializers_file_folder_path': folder },
    }),
  };
  return Session.open(outputs, { ...session, weight: (name) => baked.get(name) });
}

async function inMemory(weights: PretrainedWeights, name: string): Promise<Weight> {
  const values = await weights.readFloat32(name);
  return {
    dtype: 'f32',
    data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}
