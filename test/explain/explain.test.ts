/** Explanations of captions: of every method, of members, in batches; and what is refused. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../src/caption/captioner.ts';
import { batchOf } from '../../src/caption/executor/batch.ts';
import { gradients } from '../../src/engine/graph/gradient.ts';
import { input } from '../../src/engine/graph/graph.ts';
import * as ops from '../../src/engine/graph/ops.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import { rankCorrelation } from '../../src/explain/evaluate/statistics.ts';
import { explain, explainAll } from '../../src/explain/explain.ts';
import { methods } from '../../src/explain/methods/methods.ts';
import { methodNames } from '../../src/explain/methods/names.ts';
import { forcedIds } from '../../src/explain/model.ts';
import { explainedModel } from '../../src/explain/threads/explainer.ts';
import { captionLogprobs, integratedGradients } from '../../src/explain/token-maps.ts';
import { openGraph } from '../../src/generation/open-graph.ts';
import { visionTower } from '../../src/model/blip.ts';
import { loadModel } from '../../src/model/checkpoint/pretrained.ts';
import { crossKeyValues, languageHead, textDecoder } from '../../src/model/decoder.ts';
import type { Scope } from '../../src/nn/scope.ts';
import { tiny, writeConceptModel, writeRichModel } from '../caption/models.ts';

let folder: string;
let one: Captioner;
let two: Captioner;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-explain-'));
  await writeRichModel(folder);
  one = await Captioner.load(tiny, { threads: 1 });
  two = await Captioner.load(folder, { threads: 1 });
});
afterAll(async () => {
  for (const captioner of [one, two]) captioner[Symbol.dispose]();
  await rm(folder, { recursive: true, force: true });
});
const file = (name: string) => join(tiny, 'images', name);
const owl = file('owl-1.png');

describe('an explanation', () => {
  it.each(methodNames)('by %s has a map for each word of the caption', async (method) => {
    const { caption, words, side, width } = await explain(one, owl, { method });
    expect(words.map(({ text }) => text).join(' ')).toBe(caption);
    expect([side, width]).toEqual([3, 48]);
    for (const { map } of words) {
      expect(map.length).toBe(9);
      expect(map.every(Number.isFinite)).toBe(true);
      // A map that is the same everywhere says nothing.
      expect(new Set(map).size).toBeGreaterThan(1);
      if (!methods[method].isSigned) expect(Math.min(...map)).toBeGreaterThanOrEqual(0);
    }
  });

  it('has the words and probabilities of the captioner, with members and beams', async () => {
    for (const captioner of [one, two]) {
      const generation = { num_beams: 3 };
      const { captions } = await captioner.caption(owl, { ...generation, words: true });
      const { caption, words } = await explain(captioner, owl, { generation });
      expect(caption).toBe(captions[0].text);
      expect(words.map(({ text }) => text)).toEqual(captions[0].words?.map(({ text }) => text));
      for (const [i, { logprob }] of words.entries())
        expect(logprob).toBeCloseTo(captions[0].words?.[i].logprob ?? Number.NaN, 4);
    }
  });

  it('is of the decoder that is told of concepts, by each method', async () => {
    const model = join(folder, 'named');
    await writeConceptModel(model);
    using named = await Captioner.load(model, { threads: 1 });
    const { captions } = await named.caption(owl, { dependence: true });
    for (const method of methodNames) {
      const { words } = await explain(named, owl, { method });
      for (const [i, { logprob, dependence, map }] of words.entries()) {
        expect(logprob, method).toBeCloseTo(captions[0].words?.[i].logprob ?? Number.NaN, 4);
        expect(dependence, method).toBeCloseTo(captions[0].words?.[i].dependence ?? Number.NaN, 4);
        expect(map.every(Number.isFinite), method).toBe(true);
      }
    }
  });

  it('is the same in a batch as alone', async () => {
    const images = [file('cat-0.png'), owl];
    const together = await explainAll(two, images);
    const alone = await explain(two, owl);
    expect(together[1].caption).toBe(alone.caption);
    for (const [i, word] of alone.words.entries()) {
      expect(together[1].words[i].dependence).toBeCloseTo(word.dependence, 4);
      for (const [cell, value] of word.map.entries())
        expect(together[1].words[i].map[cell]).toBeCloseTo(value, 5);
    }
  });

  it('by layer-cam takes the gradient of each word by what its own position reads', async () => {
    const model = explainedModel(one);
    const pixels = batchOf([(await one.prepare(owl)).pixels], { width: 48, height: 48 });
    const ids = [
      one.config.text_config.bos_token_id,
      ...one.tokenizer.encode('a brown owl', { specialTokens: false }),
    ];
    const [{ places }] = await model.run('layerCam', () => ({ ...forcedIds([ids]), pixels }));
    await using loaded = await loadModel(tiny);
    for (let t = 0; t + 1 < ids.length; t++) {
      // By the decoder's cache: keys and values of the positions before are constants there.
      const graph = (scope: Scope) => {
        const { vision_config: vision, text_config: text } = loaded.config;
        const tokens = visionTower(scope, vision, input('pixels', 'f32', [1, 3, 48, 48]));
        const cross = crossKeyValues(scope, text, tokens);
        const read = ops.reshape(input('ids', 'i32', [t + 1]), [1, 1, t + 1]);
        const cached = () => {
          const ids = ops.slice(read, 2, 0, t);
          return textDecoder(scope, text, { ids, cross }).present.map(({ key, value }) => ({
            key: ops.stopGradient(key),
            value: ops.stopGradient(value),
          }));
        };
        const here = ops.slice(read, 2, t, t + 1);
        const { states } = textDecoder(scope, text, {
          ...{ ids: here, cross },
          ...(t > 0 && { past: cached() }),
        });
        const logits = languageHead(scope, text, states[text.num_hidden_layers - 1]);
        const all = ops.logSoftmax(logits);
        const logprob = ops.slice(all, 2, ids[t + 1], ids[t + 1] + 1);
        const [slope] = gradients(ops.reduceSum(logprob), [tokens]);
        return { places: ops.reduceSum(ops.relu(ops.mul(slope, tokens)), [2]) };
      };
      using session = await openGraph(graph, loaded.weights, { threads: 1 });
      const feeds = { pixels, ids: tensor('i32', [t + 1], Int32Array.from(ids.slice(0, t + 1))) };
      const { data } = (await session.run(feeds)).places;
      for (const [i, value] of Array.from(data, Number).entries())
        expect(places[10 * t + i]).toBeCloseTo(value, 5);
    }
  });

  it('by contrastive-layer-cam is that of layer-cam where the word takes more than most, else 0', async () => {
    const caption = 'a brown owl';
    const plain = await explain(one, owl, { caption, method: 'layer-cam' });
    const { words } = await explain(one, owl, { caption, method: 'contrastive-layer-cam' });
    for (const [i, { map }] of words.entries()) {
      // Its size is another: shares of 1.
      const { map: whole } = plain.words[i];
      const kept = [...map.keys()].filter((cell) => map[cell] !== 0);
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.length).toBeLessThan(map.length);
      const factor = map[kept[0]] / whole[kept[0]];
      for (const cell of kept) expect(map[cell]).toBeCloseTo(factor * whole[cell], 6);
    }
    // At each place no more than half of the caption's positions are above their median.
    for (const cell of words[0].map.keys())
      expect(words.filter(({ map }) => map[cell] > 0).length).toBeLessThanOrEqual(2);
    const alike = (maps: readonly Float32Array[]) => rankCorrelation(maps[0], maps[2]);
    expect(alike(words.map(({ map }) => map))).toBeLessThan(
      alike(plain.words.map(({ map }) => map)),
    );
  });

  it('sums integrated gradients of members to what the picture adds to their mean probability', async () => {
    const model = explainedModel(two);
    const { pixels } = await two.prepare(owl);
    const tokens = await model.tokens(batchOf([pixels], { width: 48, height: 48 }));
    const [{ ids }] = (await two.caption(owl)).captions;
    const forced = forcedIds([ids]);
    const { logprobs, members } = await integratedGradients(model, tokens, forced, { steps: 96 });
    const zeros = tokens.map(({ shape }) => tensor('f32', shape));
    const without = await captionLogprobs(model, zeros, forced);
    for (const [t, logprob] of logprobs.entries()) {
      const sum = members.reduce(
        (total, map) => total + map.slice(t * 10, (t + 1) * 10).reduce((a, b) => a + b, 0),
        0,
      );
      const added = logprob - without[t];
      expect(Math.abs(sum - added)).toBeLessThan(0.01 * Math.abs(added));
    }
  });

  it('explains a caption that is given, and sums the pieces of a word', async () => {
    const caption = 'an owlowl';
    const { words, caption: shown } = await explain(one, owl, { caption });
    expect(shown).toBe(caption);
    expect(words.map(({ text }) => text)).toEqual(['an', 'owlowl']);
    expect(words[1].logprob).toBeLessThan(words[0].logprob);
  });

  it('draws by the seed', async () => {
    const maps = async (seed: number) =>
      (await explain(one, owl, { method: 'rise', seed, caption: 'an owl' })).words.map(
        ({ map }) => [...map],
      );
    expect(await maps(1)).toEqual(await maps(1));
    expect(await maps(1)).not.toEqual(await maps(2));
  });
});

describe('what cannot be explained', () => {
  it('is said in one sentence', async () => {
    const failure = (options: Parameters<typeof explain>[2]) => explain(one, owl, options);
    await expect(failure({ caption: ' ' })).rejects.toThrow('has no words');
    await expect(failure({ caption: '\u732b an owl \u72ac' })).rejects.toThrow(
      "lacks '\u732b', '\u72ac' of the caption",
    );
    await expect(failure({ caption: 'owl '.repeat(200) })).rejects.toThrow(
      'has 200 tokens; the model has room for 40',
    );
    await expect(explain(one, file('nothing.png'))).rejects.toThrow('nothing.png');
    // @ts-expect-error no such method
    await expect(failure({ method: 'guess' })).rejects.toThrow('method (guess): one of');
    const refined = await Captioner.load(folder, { threads: 1, keepRefiner: true });
    await expect(explain(refined, owl)).rejects.toThrow('keepRefiner');
    refined[Symbol.dispose]();
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const running = explain(one, owl, { method: 'rise', signal: stop.signal });
    setTimeout(() => stop.abort(), 5);
    await expect(running).rejects.toThrow('abort');
  });
});
