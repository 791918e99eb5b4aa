/** The training-only layers: neutral at first, blind to what is to be predicted, cached as uncached. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { gradients } from '../../../src/engine/graph/gradient.ts';
import { input, parametersOf, type Value } from '../../../src/engine/graph/graph.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import { Inference } from '../../../src/generation/inference.ts';
import { type BlipConfig, parseBlipConfig } from '../../../src/model/config.ts';
import { contrastiveLoss, groundingLoss } from '../../../src/model/refiner/alignment.ts';
import { type RefinerConfig, refinerSchema } from '../../../src/model/refiner/refiner.ts';
import { ParameterStore } from '../../../src/nn/parameter-store.ts';
import { Scope } from '../../../src/nn/scope.ts';
import { GradientSession } from '../../../src/train/objective/gradients.ts';
import { ignoredLabel, objectiveGraph } from '../../../src/train/objective/objective.ts';

const [images, captions, length, vocabulary] = [3, 3, 6, 40];
let config: BlipConfig;

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
        intermediate_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        vocab_size: vocabulary,
        max_position_embeddings: 16,
        bos_token_id: 1,
        sep_token_id: 2,
      },
    },
    'the test',
  );
});

const kinds: [string, object][] = [
  ['refinement alone', { refinement: { heads: 4 } }],
  ['alignment alone', { alignment: { heads: 2 } }],
  ['both', { refinement: { heads: 2 }, alignment: { heads: 4 } }],
  [
    'several deep, with feed-forward, reading the first layer',
    {
      refinement: { heads: 2, layers: 2, feedForward: 32, context: 'siblings' },
      alignment: { heads: 2, layers: 2, feedForward: 8 },
      readLayer: 0,
    },
  ],
];

/** The sums of both paths' losses; all weights random, or as a run begins. */
async function open(settings: object, everythingRandom: boolean) {
  const refiner: RefinerConfig = refinerSchema.parse(settings);
  const scope = new Scope();
  const outputs = objectiveGraph(scope, config, {
    images: 'pixels',
    labelSmoothing: 0,
    dropout: false,
    refiner,
    baseWeight: 1,
    distillationWeight: 1,
    distillationTemperature: 2,
    refinedGradient: 'whole',
  });
  const store = new ParameterStore(scope.parameters);
  store.initialize(createRandom(1));
  const random = createRandom(7);
  if (everythingRandom)
    for (let i = 0; i < store.trainable.length; i++) store.trainable[i] = 0.3 * random.normal();
  const { base, refined, distillation } = outputs;
  if (!refined || !distillation) throw new Error('the objective has no refined path');
  const session = await Session.open({ base, refined, distillation }, { threads: 1 });
  const used = Object.fromEntries(
    scope.parameters
      .filter(({ name }) => !name.includes('contrastive'))
      .map(({ name }) => [name, store.tensor(name)]),
  );
  const run = async ({ ids, labels }: { ids: Int32Array; labels: Int32Array }) => {
    const shape = [images, captions, length];
    const result = await session.run({
      ...used,
      pixels: pixels(),
      ids: tensor('i32', shape, ids),
      labels: tensor('i32', shape, labels),
    });
    const value = (name: string) => Number(result[name].data[0]);
    return { base: value('base'), refined: value('refined'), distillation: value('distillation') };
  };
  return { run, store, refiner, [Symbol.dispose]: () => session.dispose() };
}

/** Gradients of the refined path's cross-entropy and the distillation alone, by parameter. */
async function refinedGradients(refinedGradient: 'whole' | 'layers') {
  const scope = new Scope();
  const outputs = objectiveGraph(scope, config, {
    images: 'pixels',
    labelSmoothing: 0,
    dropout: false,
    refiner: refinerSchema.parse({
      refinement: { heads: 4, context: 'siblings' },
      alignment: { heads: 4 },
    }),
    baseWeight: 0,
    distillationWeight: 0,
    distillationTemperature: 1,
    refinedGradient,
  });
  const store = new ParameterStore(scope.parameters);
  const random = createRandom(7);
  for (let i = 0; i < store.trainable.length; i++) store.trainable[i] = 0.3 * random.normal();
  const gradients = new Float32Array(store.trainable.length);
  using session = await GradientSession.open(scope, outputs, store, gradients, { threads: 1 });
  const { ids, labels } = words();
  const shape = [images, captions, length];
  await session.add({
    pixels: pixels(),
    ids: tensor('i32', shape, ids),
    labels: tensor('i32', shape, labels),
    share: tensor('f32', [], Float32Array.of(1)),
  });
  const moved = (name: string) => store.viewOf(name, gradients).data.some((x) => x !== 0);
  return { names: store.names, moved };
}

function pixels() {
  const random = createRandom(2);
  const data = Float32Array.from({ length: images * 768 }, () => random.normal());
  return tensor('f32', [images, 3, 16, 16], data);
}

function words(seed = 3) {
  const random = createRandom(seed);
  const ids = Int32Array.from(
    { length: images * captions * length },
    () => 3 + random.integer(vocabulary - 3),
  );
  return { ids, labels: ids.map((id) => (id + 1) % vocabulary) };
}

const at = (image: number, caption: number, position: number) =>
  (image * captions + caption) * length + position;

describe('refinement and alignment', () => {
  it.each(kinds)('change nothing at first: %s', async (_, settings) => {
    using graph = await open(settings, false);
    const { base, refined, distillation } = await graph.run(words());
    expect(refined).toBe(base);
    expect(distillation).toBe(0);
    using random = await open(settings, true);
    const later = await random.run(words());
    expect(Math.abs(later.refined - later.base)).toBeGreaterThan(1e-3);
    expect(later.distillation).toBeGreaterThan(1e-4);
  });

  it.each(kinds)("do not see a caption's later words: %s", async (_, settings) => {
    using graph = await open(settings, true);
    const { ids, labels } = words();
    // The first three words of one caption count alone.
    labels.fill(ignoredLabel);
    for (let t = 0; t < 3; t++) labels[at(1, 1, t)] = 5 + t;
    const before = await graph.run({ ids, labels });
    const later = ids.slice();
    for (let t = 3; t < length; t++) later[at(1, 1, t)] = 4;
    expect((await graph.run({ ids: later, labels })).refined).toBe(before.refined);
    const earlier = ids.slice();
    earlier[at(1, 1, 1)] = ids[at(1, 1, 1)] === 4 ? 6 : 4;
    expect((await graph.run({ ids: earlier, labels })).refined).not.toBe(before.refined);
  });

  it("read the image's other captions only when told to, and never another image's", async () => {
    const { ids, labels } = words();
    labels.fill(ignoredLabel);
    labels[at(1, 1, 2)] = 5;
    const changed = (image: number, caption: number) => {
      const other = ids.slice();
      other[at(image, caption, 4)] = ids[at(image, caption, 4)] === 4 ? 6 : 4;
      return { ids: other, labels };
    };
    using own = await open({ refinement: { heads: 4 } }, true);
    const alone = (await own.run({ ids, labels })).refined;
    expect((await own.run(changed(1, 0))).refined).toBe(alone);
    using siblings = await open({ refinement: { heads: 4, context: 'siblings' } }, true);
    const together = (await siblings.run({ ids, labels })).refined;
    expect((await siblings.run(changed(1, 0))).refined).not.toBe(together);
    expect((await siblings.run(changed(1, 2))).refined).not.toBe(together);
    expect((await siblings.run(changed(0, 1))).refined).toBe(together);
    // The base path reads nobody else in either case.
    const { base } = await siblings.run({ ids, labels });
    expect((await siblings.run(changed(1, 0))).base).toBe(base);
  });

  it('do not learn the words to come from a caption that is there twice', async () => {
    using graph = await open({ refinement: { heads: 4, context: 'siblings' } }, true);
    const { ids, labels } = words();
    labels.fill(ignoredLabel);
    for (let t = 0; t < 3; t++) labels[at(1, 1, t)] = 5 + t;
    const twice = (word: number) => {
      const same = ids.slice();
      same[at(1, 1, 4)] = word;
      for (let t = 0; t < length; t++) same[at(1, 0, t)] = same[at(1, 1, t)];
      return { ids: same, labels };
    };
    const { refined } = await graph.run(twice(4));
    expect((await graph.run(twice(9))).refined).toBe(refined);
  });

  it('ignore the padding of the other captions', async () => {
    using graph = await open({ refinement: { heads: 4, context: 'siblings' } }, true);
    const { ids, labels } = words();
    labels.fill(ignoredLabel);
    labels[at(1, 1, 2)] = 5;
    const padId = config.text_config.pad_token_id;
    const short = ids.slice();
    for (let t = 2; t < length; t++) short[at(1, 0, t)] = padId;
    const { refined } = await graph.run({ ids: short, labels });
    // What stood behind the end before has no say: the states of pads differ by their position alone.
    const shorter = short.slice();
    shorter[at(1, 0, 1)] = padId;
    expect((await graph.run({ ids: shorter, labels })).refined).not.toBe(refined);
  });

  it.each(kinds)(
    'give the same scores word by word, cached, as all at once: %s',
    async (_, settings) => {
      using graph = await open(settings, true);
      const { store, refiner } = graph;
      const live = () =>
        Inference.live(config, (name) => store.tensor(name), { threads: 1 }, { refiner });
      using inference = await live();
      const encoded = await inference.encode(pixels());
      const random = createRandom(9);
      const rows = images * 2;
      const ids = Int32Array.from({ length: rows * 5 }, () => 3 + random.integer(30));
      const whole = await inference.decode(encoded).step(ids, 5);
      const decoding = inference.decode(encoded);
      let last = whole;
      for (let t = 0; t < 5; t++)
        last = await decoding.step(
          Int32Array.from({ length: rows }, (_, row) => ids[row * 5 + t]),
          1,
        );
      for (const [i, x] of whole.logits.entries()) expect(last.logits[i]).toBeCloseTo(x, 4);
      using plain = await Inference.live(config, (name) => store.tensor(name), { threads: 1 });
      const base = await plain.decode(await plain.encode(pixels())).step(ids, 5);
      expect(base.logits.some((x, i) => Math.abs(x - whole.logits[i]) > 1e-3)).toBe(true);
    },
  );

  it('are weighed in the objective as asked, and are not pulled to what they teach', async () => {
    const build = (distillationTemperature: number) => {
      const scope = new Scope();
      const outputs = objectiveGraph(scope, config, {
        images: 'pixels',
        labelSmoothing: 0,
        dropout: false,
        refiner: refinerSchema.parse({ refinement: { heads: 4 }, alignment: { heads: 4 } }),
        baseWeight: 0.7,
        distillationWeight: 1.3,
        distillationTemperature,
        refinedGradient: 'whole',
      });
      const { loss, base, refined, distillation } = outputs;
      if (!refined || !distillation) throw new Error('the objective has no refined path');
      return { scope, values: { loss, base, refined, distillation } };
    };
    const { scope, values } = build(2);
    const store = new ParameterStore(scope.parameters);
    const random = createRandom(7);
    for (let i = 0; i < store.trainable.length; i++) store.trainable[i] = 0.3 * random.normal();
    const { ids, labels } = words();
    const shape = [images, captions, length];
    const feeds = {
      ...Object.fromEntries(store.names.map((name) => [name, store.tensor(name)])),
      pixels: pixels(),
      ids: tensor('i32', shape, ids),
      labels: tensor('i32', shape, labels),
      share: tensor('f32', [], Float32Array.of(0.25)),
    };
    const run = async (graph: Record<string, Value>) => {
      using session = await Session.open(graph, { threads: 1 });
      const used = Object.entries(feeds).filter(([name]) => session.inputs.has(name));
      return await session.run(Object.fromEntries(used));
    };
    const numbers = async (graph: Record<string, Value>) =>
      Object.fromEntries(
        Object.entries(await run(graph)).map(([name, { data }]) => [name, Number(data[0])]),
      );
    const { loss, base, refined, distillation } = await numbers(values);
    expect(loss).toBeCloseTo(0.25 * (refined + 0.7 * base + 1.3 * distillation), 3);
    // Over its temperature squared the divergence of soft distributions falls with the square of that.
    const hot = await numbers(build(100).values);
    const hotter = await numbers(build(200).values);
    expect(hotter.distillation / hot.distillation).toBeCloseTo(1, 1);
    // The teacher is fixed: its layers take nothing from the divergence, the student does.
    const gradientsOf = async (wanted: (name: string) => boolean) => {
      const parameters = scope.parameters.filter(({ name }) => wanted(name));
      const found = gradients(
        values.distillation,
        parameters.map(({ value }) => value),
      );
      const named = Object.fromEntries(found.map((value, i) => [`g${i}`, value]));
      return Object.values(await run(named)).map(({ data }) => Array.from(data, Number));
    };
    const ofTeacher = await gradientsOf((name) => /^(refinement|alignment)\./.test(name));
    expect(ofTeacher.length).toBeGreaterThan(10);
    expect(ofTeacher.flat().every((x) => x === 0)).toBe(true);
    const ofStudent = await gradientsOf((name) => name.includes('attention.self.query.weight'));
    expect(ofStudent.every((values) => values.some((x) => x !== 0))).toBe(true);
  });

  it('train what is under them only when told to', async () => {
    const isLayer = (name: string) => /^(refinement|alignment)\./.test(name);
    const isHead = (name: string) => name.includes('cls.predictions') || name.includes('word_emb');
    const { names, moved } = await refinedGradients('layers');
    // Softmax does not change when all scores of a row do.
    for (const name of names.filter(isLayer))
      if (!name.endsWith('key.bias')) expect(moved(name), name).toBe(true);
    const under = names.filter((name) => !isLayer(name) && !isHead(name));
    expect(under.length).toBeGreaterThan(20);
    expect(under.filter(moved)).toEqual([]);
    const whole = await refinedGradients('whole');
    expect(under.filter((name) => !whole.moved(name) && !name.endsWith('key.bias'))).toEqual([]);
  });

  it('contrast captions with images as InfoNCE does', async () => {
    const scope = new Scope();
    const width = 8;
    const states = input('states', 'f32', [images, captions * length, width]);
    const tokens = input('tokens', 'f32', [images, 4, width]);
    const kept = input('kept', 'f32', [images, captions, length]);
    const outputs = contrastiveLoss(scope, states, tokens, kept);
    const store = new ParameterStore(scope.parameters);
    const random = createRandom(4);
    for (let i = 0; i < store.trainable.length; i++) store.trainable[i] = random.normal();
    const values = (n: number) => Float32Array.from({ length: n }, () => random.normal());
    const s = values(images * captions * length * width);
    const v = values(images * 4 * width);
    const k = Float32Array.from({ length: images * captions * length }, () => random.integer(2));
    // One caption has no word, and does not count.
    k.fill(0, 0, length);
    using session = await Session.open(outputs, { threads: 1 });
    const result = await session.run({
      ...store.feeds(),
      states: tensor('f32', [images, captions * length, width], s),
      tokens: tensor('f32', [images, 4, width], v),
      kept: tensor('f32', [images, captions, length], k),
    });

    const project = (name: string, x: number[]) => {
      const w = store.tensor(`${name}.weight`).data;
      const b = store.tensor(`${name}.bias`).data;
      const y = x.map((_, o) => x.reduce((sum, xi, i) => sum + xi * w[o * width + i], b[o]));
      const norm = Math.sqrt(y.reduce((sum, yi) => sum + yi * yi, 1e-6));
      return y.map((yi) => yi / norm);
    };
    const mean = (rows: number[][]) =>
      Array.from({ length: width }, (_, i) => rows.reduce((sum, r) => sum + r[i], 0) / rows.length);
    const row = (data: Float32Array, n: number) => [...data.subarray(n * width, (n + 1) * width)];
    const image = Array.from({ length: images }, (_, b) =>
      project('image', mean([0, 1, 2, 3].map((t) => row(v, b * 4 + t)))),
    );
    const text = Array.from({ length: images * captions }, (_, n) => {
      const spots = [...Array(length).keys()].filter((t) => k[n * length + t] === 1);
      return { n, at: spots.map((t) => row(s, n * length + t)) };
    })
      .filter(({ at: rows }) => rows.length > 0)
      .map(({ n, at: rows }) => ({
        image: Math.floor(n / captions),
        vector: project('text', mean(rows)),
      }));
    const score = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0) / 0.07;
    const logSum = (list: number[]) => Math.log(list.reduce((sum, x) => sum + Math.exp(x), 0));
    let wanted = 0;
    for (const { image: b, vector } of text) {
      const own = score(vector, image[b]);
      wanted += 0.5 * (logSum(image.map((other) => score(vector, other))) - own);
      wanted += 0.5 * (logSum(text.map((other) => score(other.vector, image[b]))) - own);
    }
    expect(Number(result.count.data[0])).toBe(text.length);
    expect(Number(result.sum.data[0])).toBeCloseTo(wanted, 3);
  });
});

const groundedOptions = {
  images: 'pixels',
  labelSmoothing: 0,
  dropout: false,
  refiner: refinerSchema.parse({ refinement: { heads: 4 }, alignment: { heads: 4 } }),
  baseWeight: 1,
  distillationWeight: 1,
  distillationTemperature: 1,
  refinedGradient: 'layers',
  groundingWeight: 0.5,
} as const;

/** The grounding loss alone; words of the first caption of the second image have boxes. */
async function openGrounding(seed: number) {
  const scope = new Scope();
  const { grounding, base } = objectiveGraph(scope, config, groundedOptions);
  if (!grounding) throw new Error('the objective has no grounding');
  const store = new ParameterStore(scope.parameters);
  const random = createRandom(seed);
  for (let i = 0; i < store.trainable.length; i++) store.trainable[i] = 0.3 * random.normal();
  const session = await Session.open({ grounding, base }, { threads: 1 });
  const used = parametersOf([grounding, base]);
  const run = async (ids: Int32Array, grounded: readonly number[]) => {
    const shape = [images, captions, length];
    const boxes = new Float32Array(images * captions * length * 4);
    for (const t of grounded) boxes[4 * at(1, 0, t) + 2] = 1;
    const result = await session.run({
      ...Object.fromEntries(used.map((name) => [name, store.tensor(name)])),
      pixels: pixels(),
      ids: tensor('i32', shape, ids),
      labels: tensor('i32', shape, words().labels),
      boxes: tensor('f32', [...shape, 4], boxes),
    });
    return { grounding: Number(result.grounding.data[0]), base: Number(result.base.data[0]) };
  };
  return { run, [Symbol.dispose]: () => session.dispose() };
}

describe('grounding', () => {
  it("does not see a caption's later words, and leaves the base path alone", async () => {
    using graph = await openGrounding(7);
    const { ids } = words();
    const before = await graph.run(ids, [0, 1, 2]);
    expect(before.grounding).toBeGreaterThan(0);
    const later = ids.slice();
    for (let t = 3; t < length; t++) later[at(1, 0, t)] = 4;
    expect((await graph.run(later, [0, 1, 2])).grounding).toBe(before.grounding);
    const earlier = ids.slice();
    earlier[at(1, 0, 1)] = ids[at(1, 0, 1)] === 4 ? 6 : 4;
    expect((await graph.run(earlier, [0, 1, 2])).grounding).not.toBe(before.grounding);
    const none = await graph.run(ids, []);
    expect(none).toEqual({ grounding: 0, base: before.base });
  });

  it('teaches the alignment layer where to look, and what lies under the layers nothing', async () => {
    const scope = new Scope();
    const { grounding, count } = objectiveGraph(scope, config, groundedOptions);
    if (!grounding) throw new Error('the objective has no grounding');
    const store = new ParameterStore(scope.parameters);
    const random = createRandom(7);
    for (let i = 0; i < store.trainable.length; i++) store.trainable[i] = 0.3 * random.normal();
    const moves = new Float32Array(store.trainable.length);
    const outputs = { loss: grounding, base: grounding, count };
    using session = await GradientSession.open(scope, outputs, store, moves, { threads: 1 });
    const shape = [images, captions, length];
    const { ids, labels } = words();
    const boxes = Float32Array.from({ length: ids.length * 4 }, (_, i) => (i % 4 === 1 ? 1 : 0));
    await session.add({
      pixels: pixels(),
      ids: tensor('i32', shape, ids),
      labels: tensor('i32', shape, labels),
      boxes: tensor('f32', [...shape, 4], boxes),
    });
    const moved = store.names.filter((name) =>
      store.viewOf(name, moves).data.some((x) => Math.abs(x) > 1e-6),
    );
    expect(moved).toContain('alignment.layer.0.query.weight');
    expect(moved).toContain('refinement.layer.0.value.weight');
    expect(moved.filter((name) => !/^(alignment|refinement)[.]/.test(name))).toEqual([]);
  });

  it('is -log of the share of the attention over the picture that falls into the boxes', async () => {
    const random = createRandom(5);
    const [heads, words, tokens, first] = [2, 4, 7, 1];
    const seen = Float32Array.from({ length: heads * words * tokens }, () => random.next());
    const boxes = Float32Array.from({ length: words * 4 }, () => Math.max(0, random.normal() / 3));
    boxes.fill(0, 4, 8); // the second word has none
    const loss = groundingLoss(
      input('seen', 'f32', [1, heads, words, tokens]),
      input('boxes', 'f32', [1, 2, 2, 4]),
      first,
    );
    using session = await Session.open({ ...loss }, { threads: 1 });
    const result = await session.run({
      seen: tensor('f32', [1, heads, words, tokens], seen),
      boxes: tensor('f32', [1, 2, 2, 4], boxes),
    });
    let wanted = 0;
    for (const word of [0, 2, 3]) {
      const taken = (cell: number) =>
        seen[word * tokens + first + cell] + seen[(words + word) * tokens + first + cell];
      const cells = [0, 1, 2, 3];
      const inside = cells.reduce((sum, cell) => sum + taken(cell) * boxes[word * 4 + cell], 0);
      wanted -= Math.log(inside / cells.reduce((sum, cell) => sum + taken(cell), 0));
    }
    expect(Number(result.sum.data[0])).toBeCloseTo(wanted, 3);
    expect(Number(result.count.data[0])).toBe(3);
  });
});
