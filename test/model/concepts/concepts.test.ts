/** Concepts in the model's graphs: what is computed equals what is fed, and names mean what they say. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { blipPreprocessing } from '../../../src/data/images/preprocess.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { type Tensor, tensor } from '../../../src/engine/runtime/tensor.ts';
import { encoderGraph, type GraphOptions, towerInput } from '../../../src/model/blip.ts';
import { loadModel } from '../../../src/model/checkpoint/pretrained.ts';
import { saveModel, storeWeights } from '../../../src/model/checkpoint/save.ts';
import { modelParameters } from '../../../src/model/checkpoint/weights.ts';
import { chooseConcepts, conceptScores } from '../../../src/model/concepts/concepts.ts';
import { parseBlipConfig } from '../../../src/model/config.ts';
import { ParameterStore } from '../../../src/nn/parameter-store.ts';
import { Scope } from '../../../src/nn/scope.ts';

const vision = {
  hidden_size: 12,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 3,
  image_size: 16,
  patch_size: 4,
};
const text = {
  vocab_size: 30,
  hidden_size: 12,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  bos_token_id: 1,
  pad_token_id: 0,
  sep_token_id: 2,
};
const concepts = {
  class_tokens: 2,
  word_tokens: 3,
  class_groups: [0, 1, 1, 2, 0],
  class_names: [[5], [6, 7], [8]],
  words: [9, 10, 11, 12],
};
const config = parseBlipConfig(
  { vision_config: vision, text_config: text, concept_config: concepts },
  'config.json',
);
if (!config.concept_config) throw new Error('the concepts are lost');
const conceptConfig = config.concept_config;

const store = new ParameterStore(modelParameters(config), () => 'frozen');
store.initialize(createRandom(3));
// First values that tell classes and words apart.
for (const name of ['concepts.classes.weight', 'concepts.words.weight'])
  for (let i = 0; i < store.tensor(name).data.length; i++) store.tensor(name).data[i] *= 40;

const images = 3;
const pixels = tensor(
  'f32',
  [images, 3, 16, 16],
  Float32Array.from({ length: images * 3 * 256 }, (_, i) => Math.sin(i * 0.37) + Math.cos(i / 91)),
);

function numbers({ data }: Tensor): number[] {
  return Array.from({ length: data.length }, (_, i) => Number(data[i]));
}

/** The values of the parameters that a graph built in the scope has. */
function parametersOf(scope: Scope): Record<string, Tensor> {
  return Object.fromEntries(scope.parameters.map(({ name }) => [name, store.tensor(name)]));
}

async function encode(options: GraphOptions, feeds: Record<string, Tensor>) {
  const scope = new Scope();
  using session = await Session.open(encoderGraph(scope, config, options));
  return await session.run({ ...parametersOf(scope), ...feeds });
}

async function scores() {
  const scope = new Scope();
  const tokens = towerInput(scope, config.vision_config, {});
  const found = conceptScores(scope, conceptConfig, tokens);
  const chosen = chooseConcepts(conceptConfig, found);
  using session = await Session.open({ ...found, ids: chosen.words, sure: chosen.probabilities });
  const result = await session.run({ ...parametersOf(scope), pixels });
  return { names: result.names, words: result.words, ids: result.ids, sure: result.sure };
}

describe('concepts', () => {
  it('are the likeliest names and words, likeliest first, with their probabilities', async () => {
    const found = await scores();
    const [names, words, ids, sure] = [found.names, found.words, found.ids, found.sure].map(
      numbers,
    );
    const likely = (logit: number) => 1 / (1 + Math.exp(-logit));
    for (let image = 0; image < images; image++) {
      const ranked = (values: number[], width: number, table: readonly (readonly number[])[]) =>
        table
          .map((pair, i) => ({ pair, p: likely(values[image * width + i]) }))
          .toSorted((a, b) => b.p - a.p);
      const expected = [
        ...ranked(names, 3, concepts.class_names).slice(0, 2),
        ...ranked(
          words,
          4,
          concepts.words.map((word) => [word]),
        ).slice(0, 3),
      ];
      for (const [slot, { pair, p }] of expected.entries()) {
        const at = image * 5 + slot;
        expect(ids.slice(2 * at, 2 * at + 2)).toEqual([pair[0], pair[1] ?? -1]);
        expect(sure[at]).toBeCloseTo(p, 5);
      }
    }
    // Otherwise the order above says nothing.
    expect(new Set(ids).size).toBeGreaterThan(5);
  });

  it('add up the classes that share a name', async () => {
    const { names } = await scores();
    const odds = numbers(names);
    for (let image = 0; image < images; image++) {
      const total = odds
        .slice(3 * image, 3 * image + 3)
        .reduce((sum, logit) => sum + 1 / (1 + Math.exp(-logit)), 0);
      expect(total).toBeCloseTo(1, 4);
    }
  });

  it('that are fed give what computed ones give', async () => {
    const found = await scores();
    const computed = await encode({}, { pixels });
    const given = await encode(
      { concepts: 'given' },
      { pixels, conceptWords: found.ids, conceptProbabilities: found.sure },
    );
    expect(computed.tokens.shape).toEqual([images, 17 + 5, 12]);
    expect(numbers(given.tokens)).toEqual(numbers(computed.tokens));
    expect(numbers(given['crossKey.1'])).toEqual(numbers(computed['crossKey.1']));
  });

  it('stand for a picture where there is none', async () => {
    const found = await scores();
    const feeds = { conceptWords: found.ids, conceptProbabilities: found.sure };
    const alone = await encode({ images: 'none', concepts: 'given' }, feeds);
    const whole = await encode({ concepts: 'given' }, { pixels, ...feeds });
    expect(alone.tokens.shape).toEqual([images, 5, 12]);
    const width = 12;
    const own = numbers(whole.tokens).slice(17 * width, 22 * width);
    expect(numbers(alone.tokens).slice(0, 5 * width)).toEqual(own);
  });

  it('differ with their words, and with how likely they are', async () => {
    const found = await scores();
    const run = async (ids: number[], sure: number[]) => {
      const conceptWords = tensor('i32', [images, 5, 2], Int32Array.from(ids));
      const conceptProbabilities = tensor('f32', [images, 5], Float32Array.from(sure));
      const graph = { images: 'none', concepts: 'given' } as const;
      return numbers((await encode(graph, { conceptWords, conceptProbabilities })).tokens);
    };
    const [ids, sure] = [numbers(found.ids), numbers(found.sure)];
    const before = await run(ids, sure);
    expect(await run(ids.with(0, 20), sure)).not.toEqual(before);
    expect(await run(ids, sure.with(0, 0.01))).not.toEqual(before);
    // A name of two words is the mean of both, not the first alone.
    expect(await run(ids.with(1, 20), sure)).not.toEqual(before);
  });
});

describe('a model with concepts', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'refcap-concepts-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is saved and opened with them', async () => {
    const path = join(folder, 'model');
    await saveModel(path, {
      config,
      weights: storeWeights(store),
      tokenizer: { vocabulary: vocabulary() },
      preprocessing: blipPreprocessing(16),
    });
    await using model = await loadModel(path);
    expect(model.config).toEqual(config);
    const read = await model.weights.readFloat32('concepts.words.from_classes');
    expect([...read]).toEqual(numbers(store.tensor('concepts.words.from_classes')));
  });

  it('is refused when its concepts do not fit', () => {
    const broken = (changes: object) => () =>
      parseBlipConfig(
        {
          vision_config: vision,
          text_config: text,
          concept_config: { ...concepts, ...changes },
        },
        'config.json',
      );
    expect(broken({ words: [9, 10, 99] })).toThrow(
      'config.json: concept_config speaks of word 99, outside text_config.vocab_size (30)',
    );
    expect(broken({ class_groups: [0, 1, 2, 3] })).toThrow('class_groups holds 3');
    expect(broken({ word_tokens: 9 })).toThrow('word_tokens (9) is more than the 4 words');
    expect(broken({ class_tokens: -1 })).toThrow('concept_config.class_tokens: ');
    expect(broken({ class_groups: [0, 1] })).toThrow('no class has name 2');
  });
});

function vocabulary(): string[] {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '[DEC]', '[ENC]'];
  return [
    ...special,
    ...Array.from({ length: 23 }, (_, i) => `word${String.fromCharCode(97 + i)}`),
  ];
}
