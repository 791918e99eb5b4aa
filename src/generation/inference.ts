/** The sessions of a captioner: images to keys and values once, then one run a word. */
import { Opened } from '../base/disposal.ts';
import type { Value } from '../engine/graph/graph.ts';
import { Session, type SessionOptions } from '../engine/runtime/session.ts';
import { type Tensor, tensor } from '../engine/runtime/tensor.ts';
import { cachedHeads, encoderGraph, type GraphOptions, stepGraph } from '../model/blip.ts';
import type { BlipConfig } from '../model/config.ts';
import { type Adapters, Scope } from '../nn/scope.ts';
import {
  type InferenceOptions,
  openGraph,
  type ProductRows,
  type ReadableWeights,
} from './open-graph.ts';

/** Concepts of images, as the graph chose them. */
export interface ConceptTensors {
  /** i32 [images, concepts, 2]: the words of each, -1 where there is none. */
  readonly words: Tensor;
  /** f32 [images, concepts]. */
  readonly probabilities: Tensor;
}

/** What the decoder reads of a batch of images: keys and values of every layer. */
export interface EncodedImages {
  readonly count: number;
  /** [images, tokens, width]. */
  readonly tokens: Tensor;
  /** `crossKey.N` and `crossValue.N`, each [images, heads, tokens, headWidth]. */
  readonly cross: Readonly<Record<string, Tensor>>;
  /** Where the model computes concepts: those of each image. */
  readonly concepts?: ConceptTensors;
}

/** Scores of the next word for each row (image by image, beam by beam). */
export interface StepScores {
  /** [rows, vocabulary]. */
  readonly logits: Float32Array;
  /** Log of the sum of exponentials of each row's logits: logit minus this is the log-probability. */
  readonly normalizer: Float32Array;
}

/** Writes for a batch of images, a step at a time. */
export interface Decoder {
  /** Images that are still written for. */
  readonly images: number;
  /**
   * Goes on with these images (places among the present ones) and rows: row i continues present row
   * `parents[i]`. There must be as many rows for each image, in the images' order.
   */
  select(images: readonly number[], parents: readonly number[]): void;
  /** Appends `length` ids to every row ([rows, length], row-major) and scores what may follow. */
  step(ids: Int32Array, length: number): Promise<StepScores>;
}

/** A captioner's graphs, opened with the weights baked in. */
export class Inference implements Disposable {
  readonly config: BlipConfig;
  readonly #encoder: Runner;
  readonly #step: Runner;
  readonly #graph: GraphOptions;

  private constructor(config: BlipConfig, encoder: Runner, step: Runner, graph: GraphOptions) {
    this.config = config;
    this.#encoder = encoder;
    this.#step = step;
    this.#graph = graph;
  }

  /**
   * Opens both sessions; the weights are read from their file by ONNX Runtime where it can.
   * @param graph keeps the training-only layers, whose weights must then be among `weights`
   */
  static async open(
    config: BlipConfig,
    weights: ReadableWeights,
    options: InferenceOptions = {},
    graph: GraphOptions = {},
  ): Promise<Inference> {
    return Inference.#opened(config, graph, async (build, rows) => ({
      session: await openGraph(build, weights, options, rows),
      weights: {},
    }));
  }

  /**
   * Opens both sessions over weights that may change between runs, as in training: each run reads
   * what `tensorOf` gave for a parameter's name.
   */
  static async live(
    config: BlipConfig,
    tensorOf: (name: string) => Tensor,
    options: SessionOptions = {},
    { adapters, ...graph }: GraphOptions & { readonly adapters?: Adapters } = {},
  ): Promise<Inference> {
    return Inference.#opened(config, graph, async (build) => {
      const scope = new Scope(adapters);
      const session = await Session.open(build(scope), options);
      const named = scope.parameters.map(({ name }) => [name, tensorOf(name)]);
      return { session, weights: Object.fromEntries(named) };
    });
  }

  static async #opened(
    config: BlipConfig,
    graph: GraphOptions,
    open: (build: (scope: Scope) => Record<string, Value>, rows: ProductRows) => Promise<Runner>,
  ): Promise<Inference> {
    using opened = new Opened();
    const encoder = await open((scope) => encoderGraph(scope, config, graph), 'many');
    opened.use(encoder.session);
    const step = await open((scope) => stepGraph(scope, config.text_config, graph), 'few');
    opened.keep();
    return new Inference(config, encoder, step, graph);
  }

  /**
   * What decoding needs of a batch: from pixels f32 [images, 3, size, size], normalised, or, where the
   * graph starts from them, from image tokens f16 [images, tokens, width].
   * @param concepts the graph's inputs of concepts, where they are given
   */
  async encode(
    images: Tensor,
    concepts: Readonly<Record<string, Tensor>> = {},
  ): Promise<EncodedImages> {
    const kind = this.#graph.images ?? 'pixels';
    const result = await run(this.#encoder, { [kind]: images, ...concepts });
    const { tokens = images, conceptWords: words, conceptProbabilities, ...cross } = result;
    return {
      count: images.shape[0],
      tokens,
      cross,
      ...(words && { concepts: { words, probabilities: conceptProbabilities } }),
    };
  }

  /** Starts writing for every image; nothing is run yet. */
  decode(images: EncodedImages): Decoder {
    const heads = cachedHeads(this.config.text_config, this.#graph.refiner);
    return new Decoding(this.#step, this.config.text_config.hidden_size, heads, images);
  }

  [Symbol.dispose](): void {
    this.#encoder.session.dispose();
    this.#step.session.dispose();
  }
}

/** A session and the weights that are fed to it at each run, if they are not baked in. */
interface Runner {
  readonly session: Session;
  readonly weights: Readonly<Record<string, Tensor>>;
}

function run(
  { session, weights }: Runner,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  return session.run({ ...weights, ...feeds });
}

/** The cache of one batch's decoding. Rows may be reordered and images dropped between steps. */
class Decoding implements Decoder {
  readonly #step: Runner;
  #images: number;
  #cross: Readonly<Record<string, Tensor>>;
  readonly #emptyPast: (rows: number) => Readonly<Record<string, Tensor>>;
  /** Undefined before the first step. */
  #past: Readonly<Record<string, Tensor>> | undefined;

  /** @param heads of each layer that caches the text's keys and values, in a model this wide */
  constructor(step: Runner, width: number, heads: readonly number[], images: EncodedImages) {
    this.#step = step;
    this.#images = images.count;
    this.#cross = images.cross;
    this.#emptyPast = (rows) => {
      const past: Record<string, Tensor> = {};
      for (const [i, count] of heads.entries()) {
        const empty = tensor('f32', [rows, count, 0, width / count]);
        past[`pastKey.${i}`] = empty;
        past[`pastValue.${i}`] = empty;
      }
      return past;
    };
  }

  get images(): number {
    return this.#images;
  }

  select(images: readonly number[], parents: readonly number[]): void {
    if (!isIdentity(images, this.#images)) {
      this.#cross = gatherRows(this.#cross, images);
      this.#images = images.length;
    }
    if (!this.#past) return;
    const rows = Object.values(this.#past)[0].shape[0];
    if (!isIdentity(parents, rows)) this.#past = gatherRows(this.#past, parents);
  }

  async step(ids: Int32Array, length: number): Promise<StepScores> {
    const beams = ids.length / length / this.#images;
    const shape = [this.#images, beams, length];
    const { logits, normalizer, ...present } = await run(this.#step, {
      ids: tensor('i32', shape, ids),
      ...this.#cross,
      ...(this.#past ?? this.#emptyPast(this.#images * beams)),
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
