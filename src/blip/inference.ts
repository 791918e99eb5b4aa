/** The sessions of a captioner: images to keys and values once, then one run a word. */
import { resolve } from 'node:path';
import { topologicalOrder, type Value } from '../engine/graph.ts';
import type { Weight } from '../engine/onnx.ts';
import { Session } from '../engine/session.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { Scope } from '../nn/scope.ts';
import type { BlipConfig } from './config.ts';
import { encoderGraph, stepGraph } from './model.ts';
import type { PretrainedWeights } from './pretrained-weights.ts';
import { quantizeGraph, quantizeRows, weightLimit } from './quantize.ts';

export interface InferenceOptions {
  /** Execution provider by ONNX Runtime's name. Default 'cpu'. */
  readonly device?: string;
  /** Threads of the CPU provider. Default: all cores. */
  readonly threads?: number;
  /** 'int8': 8-bit weights per output column, activations rounded on the fly. Faster, less exact. */
  readonly quantize?: 'int8';
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
    const encoder = await openGraph((s) => encoderGraph(s, config), weights, options);
    try {
      const step = await openGraph((s) => stepGraph(s, config.text_config), weights, options);
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

/**
 * Opens a graph of the model with its weights baked in: read by ONNX Runtime from their file where
 * they lie there as f32 or f16, else from memory; rounded to 8 bits if asked.
 */
export async function openGraph(
  build: (scope: Scope) => Record<string, Value>,
  weights: PretrainedWeights,
  options: InferenceOptions = {},
): Promise<Session> {
  const { quantize, ...session } = options;
  const scope = new Scope();
  let outputs = build(scope);
  const baked = new Map<string, Weight>();
  if (quantize === 'int8') {
    const quantized = quantizeGraph(outputs);
    outputs = quantized.outputs;
    for (const weight of quantized.weights) {
      const values = await weights.readFloat32(weight.source);
      const { matrix, scale } = quantizeRows(values, weight, weightLimit());
      baked.set(weight.matrix, { dtype: 'i8', data: bytesOf(matrix) });
      baked.set(weight.scale, { dtype: 'f32', data: bytesOf(scale) });
    }
  }
  const needed = new Set(
    topologicalOrder(Object.values(outputs)).flatMap(({ op, attributes }) =>
      op === 'parameter' ? [attributes.name] : [],
    ),
  );
  for (const name of needed)
    if (!baked.has(name)) baked.set(name, await weightBytes(weights, name));
  return Session.open(outputs, {
    ...session,
    externalFolder: '.',
    weight: (name) => baked.get(name),
  });
}

async function weightBytes(weights: PretrainedWeights, name: string): Promise<Weight> {
  const info = weights.tensors.get(name);
  if (info?.location && (info.dtype === 'f32' || info.dtype === 'f16')) {
    const { path, offset } = info.location;
    return { dtype: info.dtype, location: resolve(path), offset, length: info.byteLength };
  }
  return { dtype: 'f32', data: bytesOf(await weights.readFloat32(name)) };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
