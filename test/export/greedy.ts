/** Greedy search over exported files, as a program without refcap would write it. */
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';

type Feeds = Record<string, ort.Tensor>;

/** What a layout's sessions are fed and give, beside ids and logits. */
export interface ExportedLayout {
  readonly encoder: string;
  readonly decoder: string;
  /** What the first step reads of the encoder. */
  afterEncoder(outputs: Feeds, decoder: ort.InferenceSession): Feeds;
  /** What the next step reads of the last one. */
  afterStep(outputs: Feeds, fed: Feeds): Feeds;
}

const emptyPasts = ({ inputMetadata }: ort.InferenceSession, batch: number): Feeds =>
  Object.fromEntries(
    inputMetadata
      .filter(({ name }) => name.startsWith('past_'))
      .map((input) => {
        if (!input.isTensor) throw new Error(`${input.name} is no tensor`);
        const dims = input.shape.map((d) =>
          typeof d === 'number' ? d : d === 'batch_size' ? batch : 0,
        );
        return [input.name, new ort.Tensor('float32', new Float32Array(0), dims)];
      }),
  );

export const plain: ExportedLayout = {
  encoder: 'encoder.onnx',
  decoder: 'decoder.onnx',
  afterEncoder: (cross, decoder) => ({
    ...cross,
    ...emptyPasts(decoder, cross['cross_key.0'].dims[0]),
  }),
  afterStep: (outputs, fed) => ({ ...fed, ...renamed(outputs, 'present_', 'past_') }),
};

export const merged: ExportedLayout = {
  encoder: 'onnx/encoder_model.onnx',
  decoder: 'onnx/decoder_model_merged.onnx',
  afterEncoder: ({ last_hidden_state: states }, decoder) => ({
    encoder_hidden_states: states,
    ...emptyPasts(decoder, states.dims[0]),
  }),
  afterStep: (outputs, fed) => ({ ...fed, ...renamed(outputs, 'present.', 'past_key_values.') }),
};

function renamed(outputs: Feeds, from: string, to: string): Feeds {
  return Object.fromEntries(
    Object.entries(outputs)
      .filter(([name]) => name.startsWith(from))
      .map(([name, value]) => [name.replace(from, to), value]),
  );
}

/** Ids of every image up to its end, and the logits of the first step, [images, vocabulary]. */
export async function greedy(
  folder: string,
  layout: ExportedLayout,
  pixels: { readonly data: Float32Array; readonly shape: readonly number[] },
  { start, end, longest }: { start: number; end: number; longest: number },
): Promise<{ ids: number[][]; first: Float32Array }> {
  const [encoder, decoder] = await Promise.all(
    [layout.encoder, layout.decoder].map((name) => ort.InferenceSession.create(join(folder, name))),
  );
  const count = pixels.shape[0];
  const encoded = await encoder.run({
    pixel_values: new ort.Tensor('float32', pixels.data, pixels.shape),
  });
  let state = layout.afterEncoder({ ...encoded }, decoder);
  const ids = Array.from({ length: count }, () => [start]);
  let first: Float32Array | undefined;
  for (let length = 1; length < longest; length++) {
    const last = BigInt64Array.from(ids, (row) => BigInt(row[row.length - 1]));
    const outputs = await decoder.run({
      input_ids: new ort.Tensor('int64', last, [count, 1]),
      ...state,
    });
    const logits = outputs.logits.data;
    if (!(logits instanceof Float32Array)) throw new Error('logits are f32');
    first ??= logits;
    const words = logits.length / count;
    for (const [i, row] of ids.entries()) {
      const scores = logits.subarray(i * words, (i + 1) * words);
      row.push(scores.indexOf(scores.reduce((a, b) => Math.max(a, b))));
    }
    state = layout.afterStep({ ...outputs }, state);
  }
  await Promise.all([encoder.release(), decoder.release()]);
  if (!first) throw new Error('no step was run');
  return { ids: ids.map((row) => untilEnd(row, end)), first };
}

function untilEnd(ids: number[], end: number): number[] {
  const at = ids.indexOf(end, 1);
  return at < 0 ? ids : ids.slice(0, at + 1);
}
