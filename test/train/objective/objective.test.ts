/** The training objective: micro-batches add up to the batch, and gradients reach what is trained alone. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import { type BlipConfig, parseBlipConfig } from '../../../src/model/config.ts';
import { ParameterStore } from '../../../src/nn/parameter-store.ts';
import { Scope } from '../../../src/nn/scope.ts';
import { GradientSession } from '../../../src/train/objective/gradients.ts';
import {
  gradientPrefix,
  ignoredLabel,
  lossGraph,
  objectiveGraph,
  withGradients,
} from '../../../src/train/objective/objective.ts';

const [images, captions, length] = [4, 3, 7];
let config: BlipConfig;
let store: ParameterStore;
const scope = new Scope();
let graph: ReturnType<typeof lossGraph>;

beforeAll(() => {
  config = parseBlipConfig(
    {
      vision_config: {
        hidden_size: 16,
        intermediate_size: 32,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        image_size: 16,
        patch_size: 8,
      },
      text_config: {
        hidden_size: 16,
        encoder_hidden_size: 16,
        intermediate_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        vocab_size: 40,
        max_position_embeddings: 16,
        bos_token_id: 1,
        sep_token_id: 2,
      },
    },
    'the test',
  );
  graph = lossGraph(scope, config, { images: 'pixels', labelSmoothing: 0.1, dropout: false });
  store = new ParameterStore(scope.parameters);
  store.initialize(createRandom(1));
});

/** The feeds of images from .. to - 1 of one fixed batch; captions are of different lengths. */
function feedsOf(from: number, to: number) {
  const random = createRandom(2);
  const pixels = Float32Array.from({ length: images * 3 * 16 * 16 }, () => random.normal());
  const ids = Int32Array.from({ length: images * captions * length }, () => random.integer(40));
  const labels = ids.map((id, i) =>
    i % length > 2 + (Math.floor(i / length) % 4) ? ignoredLabel : (id + 3) % 40,
  );
  const text = captions * length;
  const part = (data: Int32Array) =>
    tensor('i32', [to - from, captions, length], data.slice(from * text, to * text));
  return {
    ...store.feeds(),
    pixels: tensor('f32', [to - from, 3, 16, 16], pixels.slice(from * 768, to * 768)),
    ids: part(ids),
    labels: part(labels),
  };
}

function targets(prefix: string, flat: Float32Array, names = store.trainableNames) {
  return Object.fromEntries(names.map((name) => [prefix + name, store.viewOf(name, flat)]));
}

describe('the objective', () => {
  it('adds up gradients of micro-batches to those of the batch, in place', async () => {
    const names = new Set(store.trainableNames);
    using whole = await Session.open(withGradients(scope, { ...graph, loss: graph.sum }, names), {
      threads: 1,
    });
    using micro = await Session.open(
      withGradients(scope, { ...graph, loss: graph.sum }, names, true),
      { threads: 1 },
    );
    const wanted = new Float32Array(store.trainable.length);
    const full = await whole.run(feedsOf(0, images), targets(gradientPrefix, wanted));

    const sums = new Float32Array(store.trainable.length);
    let count = 0;
    for (const [from, to] of [
      [0, 1],
      [1, 3],
      [3, 4],
    ]) {
      const feeds = { ...feedsOf(from, to), ...targets('accumulated.', sums) };
      count += Number((await micro.run(feeds, targets(gradientPrefix, sums))).count.data[0]);
    }
    expect(count).toBe(Number(full.count.data[0]));
    const scale = Math.max(...wanted.map(Math.abs));
    for (const [i, x] of wanted.entries()) expect(Math.abs(sums[i] - x)).toBeLessThan(1e-5 * scale);
  });

  it('gives the mean as the sum over the count', async () => {
    using session = await Session.open({ ...graph }, { threads: 1 });
    const result = await session.run(feedsOf(0, images));
    expect(result.loss.data[0]).toBeCloseTo(
      Number(result.sum.data[0]) / Number(result.count.data[0]),
      5,
    );
  });

  it('has gradients of the parameters that are trained, and of no others', async () => {
    const decoder = store.names.filter((name) => name.startsWith('text_decoder.'));
    const outputs = withGradients(scope, graph, new Set(decoder));
    expect(
      Object.keys(outputs)
        .filter((name) => name.startsWith(gradientPrefix))
        .sort(),
    ).toEqual(decoder.map((name) => gradientPrefix + name).sort());
  });

  it('does not look ahead: a later word changes no earlier loss', async () => {
    using session = await Session.open({ sum: graph.sum }, { threads: 1 });
    const feeds = feedsOf(0, 1);
    // Only the first two positions of the first caption count.
    feeds.labels.data.fill(ignoredLabel);
    feeds.labels.data.set([5, 6]);
    const before = (await session.run(feeds)).sum.data[0];
    feeds.ids.data.set([9, 8, 7], 3);
    expect((await session.run(feeds)).sum.data[0]).toBe(before);
    feeds.ids.data[1] += 1;
    expect((await session.run(feeds)).sum.data[0]).not.toBe(before);
  });

  it('weighs drawn captions in the distribution they were drawn from', async () => {
    const suppressed = 5;
    const head = 'text_decoder.cls.predictions';
    // Logits are head . normed + bias: all three as given, times a factor.
    const lossOf = async (temperature: number, factor: number, biasOfSuppressed: number) => {
      const own = new Scope();
      const policy = objectiveGraph(own, config, {
        images: 'pixels',
        labelSmoothing: 0,
        dropout: false,
        baseWeight: 1,
        distillationWeight: 0,
        distillationTemperature: 1,
        refinedGradient: 'whole',
        advantages: { temperature, suppressed: [suppressed] },
      });
      const ofHead = [`${head}.transform.LayerNorm.weight`, `${head}.transform.LayerNorm.bias`];
      const values = new ParameterStore(own.parameters);
      values.initialize(createRandom(1));
      values.tensor(`${head}.bias`).data[suppressed] = biasOfSuppressed;
      for (const name of [...ofHead, `${head}.bias`]) {
        const { data } = values.tensor(name);
        for (let i = 0; i < data.length; i++) data[i] *= factor;
      }
      const gradients = new Float32Array(values.trainable.length);
      using session = await GradientSession.open(own, policy, values, gradients, { threads: 1 });
      const { pixels, ids, labels } = feedsOf(0, images);
      const random = createRandom(3);
      const { loss } = await session.add({
        pixels,
        ids,
        labels: tensor(
          'i32',
          labels.shape,
          labels.data.map((id) => (id === suppressed ? id + 1 : id)),
        ),
        share: tensor('f32', [], Float32Array.of(1)),
        advantages: tensor(
          'f32',
          [images, captions],
          Float32Array.from({ length: images * captions }, () => random.normal()),
        ),
      });
      return { loss, moved: values.viewOf(`${head}.bias`, gradients).data[suppressed] };
    };
    const plain = await lossOf(1, 1, 0);
    // A word that is never drawn has no probability to take.
    const tempting = await lossOf(1, 1, 30);
    expect(tempting.loss).toBeCloseTo(plain.loss, 4);
    expect([plain.moved, tempting.moved]).toEqual([0, 0]);
    const warm = await lossOf(2, 1, 0);
    const halved = await lossOf(1, 0.5, 0);
    expect(warm.loss).toBeCloseTo(halved.loss, 3);
    expect(Math.abs(warm.loss - plain.loss)).toBeGreaterThan(0.01);
  });
});
