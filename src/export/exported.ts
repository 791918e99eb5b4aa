/** Runs exported graphs as another program would: from the files' own bytes, word by word. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Opened } from '../base/disposal.ts';
import type { GraphInput } from '../engine/onnx/encode.ts';
import { Session } from '../engine/runtime/session.ts';
import { type Tensor, tensor } from '../engine/runtime/tensor.ts';
import type { GenerationContext, Sequence } from '../generation/context.ts';
import { generate } from '../generation/generate.ts';
import type { Decoder, StepScores } from '../generation/inference.ts';
import type { GenerationSettings } from '../generation/options.ts';
import { logSumExp } from '../generation/selection.ts';
import type { WrittenOnnx } from './onnx-file.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** An opened export. Dispose it when done. */
export class ExportedModel implements Disposable {
  readonly #encoder: Session;
  readonly #decoder: Session;

  private constructor(encoder: Session, decoder: Session) {
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  /** @param files encoder and decoder, of either layout, with the paths where they lie now */
  static async open([encoder, decoder]: readonly WrittenOnnx[]): Promise<ExportedModel> {
    using opened = new Opened();
    const open = async ({ graph, path }: WrittenOnnx): Promise<Session> => {
      const encoded = { ...graph, model: await readFile(path) };
      return opened.use(await Session.openEncoded(encoded, { externalFolder: dirname(path) }));
    };
    const model = new ExportedModel(await open(encoder), await open(decoder));
    opened.keep();
    return model;
  }

  /** Writes for pixels f32 [images, 3, size, size]. @returns for each image its sequences */
  async generate(
    pixels: Tensor<'f32'>,
    settings: GenerationSettings,
    context: GenerationContext,
  ): Promise<Sequence[][]> {
    const encoded = await this.#encoder.run({ pixel_values: pixels });
    const inputs = [...this.#decoder.inputs.values()];
    const state = {
      ...emptyPasts(inputs, pixels.shape[0]),
      ...renamed(encoded, (name) =>
        name === 'last_hidden_state' ? 'encoder_hidden_states' : name,
      ),
    };
    const decoding = new ExportedDecoding(this.#decoder, state, pixels.shape[0]);
    return generate(decoding, settings, context);
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
    this.#decoder[Symbol.dispose]();
  }
}

/** What a caption starts from: pasts of no length. */
function emptyPasts(inputs: readonly GraphInput[], count: number): Tensors {
  return Object.fromEntries(
    inputs
      .filter(({ name }) => name.startsWith('past_'))
      .map(({ name, shape }) => {
        const [, ...rest] = shape.map((size) => (typeof size === 'number' ? size : 0));
        return [name, tensor('f32', [count, ...rest])];
      }),
  );
}

function renamed(tensors: Tensors, nameOf: (name: string) => string): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [nameOf(name), value]));
}

/** Every row has its own copy of what was read of its image. */
class ExportedDecoding implements Decoder {
  readonly #session: Session;
  #state: Tensors;
  #images: number;

  constructor(session: Session, state: Tensors, images: number) {
    this.#session = session;
    this.#state = state;
    this.#images = images;
  }

  get images(): number {
    return this.#images;
  }

  select(images: readonly number[], parents: readonly number[]): void {
    this.#images = images.length;
    this.#state = Object.fromEntries(
      Object.entries(this.#state).map(([name, value]) => [name, rowsOf(value, parents)]),
    );
  }

  async step(ids: Int32Array, length: number): Promise<StepScores> {
    const rows = ids.length / length;
    const input_ids = tensor('i64', [rows, length], BigInt64Array.from(ids, BigInt));
    const { logits, ...present } = await this.#session.run({ input_ids, ...this.#state });
    this.#state = {
      ...this.#state,
      ...renamed(present, (name) =>
        name.replace(/^present\./, 'past_key_values.').replace(/^present_/, 'past_'),
      ),
    };
    const words = logits.shape[2];
    const last = new Float32Array(rows * words);
    const normalizer = new Float32Array(rows);
    for (let row = 0; row < rows; row++) {
      const end = (row + 1) * length * words;
      const scores = floatsOf(logits).subarray(end - words, end);
      last.set(scores, row * words);
      normalizer[row] = logSumExp(scores);
    }
    return { logits: last, normalizer };
  }
}

function rowsOf(value: Tensor, rows: readonly number[]): Tensor {
  const size = value.data.length / value.shape[0];
  const data = new Float32Array(rows.length * size);
  for (const [i, row] of rows.entries())
    data.set(floatsOf(value).subarray(row * size, (row + 1) * size), i * size);
  return tensor('f32', [rows.length, ...value.shape.slice(1)], data);
}

function floatsOf({ data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new TypeError('the graph gave something other than f32');
}
