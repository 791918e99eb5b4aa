/** Confidence of captions: what it is computed from, that captions stay as they are, and that workers say the same. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../src/caption/captioner.ts';
import type { CaptionOptions } from '../../src/caption/options.ts';
import type { Caption, ImageCaption } from '../../src/caption/result.ts';
import { confidenceFrom } from '../../src/confidence/evidence.ts';
import { tiny, writeConceptModel, writeConfidence } from './models.ts';

const config = { weights: { noun: 0.5, caption: 2 }, shift: 1 };
const withConcepts = { ...config, weights: { ...config.weights, conceptProbability: 0.25 } };

let folder = '';
let files: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-judge-'));
  await cp(tiny, join(folder, 'plain'), { recursive: true });
  await cp(tiny, join(folder, 'calibrated'), { recursive: true });
  await writeConfidence(join(folder, 'calibrated'), config);
  await writeConceptModel(join(folder, 'concepts'));
  await writeConfidence(join(folder, 'concepts'), withConcepts);
  const names = (await readdir(join(tiny, 'images'))).sort().slice(0, 6);
  files = names.map((name) => join(tiny, 'images', name));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function captions(
  model: string,
  options: CaptionOptions = {},
  workers = 0,
): Promise<ImageCaption[]> {
  using captioner = await Captioner.load(join(folder, model), { threads: 1, workers });
  return await captioner.captionAll(files, options);
}

function written({ confidence: _, mainNoun: __, evidence: ___, ...caption }: Caption): Caption {
  return caption;
}

describe('confidence', () => {
  it('is the map of the evidence, beside captions that stay as they are', async () => {
    const plain = await captions('plain', { num_beams: 3, num_return_sequences: 2, words: true });
    const judged = await captions('calibrated', {
      num_beams: 3,
      num_return_sequences: 2,
      words: true,
      evidence: true,
    });
    expect(judged.map((each) => each.captions.map(written))).toEqual(
      plain.map((each) => [...each.captions]),
    );
    for (const { captions: all } of judged)
      for (const { text, evidence, confidence, mainNoun, meanLogprob, words = [] } of all) {
        if (!evidence) throw new Error('no evidence');
        expect(confidence).toBe(confidenceFrom(config, evidence));
        expect(evidence.caption).toBe(meanLogprob);
        expect(mainNoun).toBe(evidence.mainNoun);
        // The noun may come twice.
        const odds = words
          .filter((word) => word.text === mainNoun)
          .map(({ logprob }) => Math.min(0.999, Math.max(0.001, Math.exp(logprob))))
          .map((p) => Math.log(p / (1 - p)));
        const expected = mainNoun === undefined ? [Math.log(0.001 / 0.999)] : odds;
        expect(Math.min(...expected.map((x) => Math.abs(x - evidence.noun))), text).toBeLessThan(
          1e-9,
        );
      }
    expect(new Set(judged.map((each) => each.captions[0].confidence)).size).toBeGreaterThan(1);
  });

  it('is none without a calibration, and evidence none without a wish', async () => {
    const [{ captions: plain }] = await captions('plain');
    expect(Object.keys(plain[0])).not.toContain('confidence');
    expect(Object.keys(plain[0])).not.toContain('mainNoun');
    const [{ captions: asked }] = await captions('plain', { evidence: true });
    expect(asked[0].evidence).toBeDefined();
    expect(Object.keys(asked[0])).not.toContain('confidence');
  });

  it('knows the words of a prompt, which count as sure', async () => {
    const prompted = await captions('calibrated', { prompt: 'a dog in', evidence: true });
    for (const { captions: own } of prompted) {
      expect(own[0].mainNoun).toBe('dog');
      expect(own[0].evidence?.noun).toBeGreaterThan(6);
    }
  });

  it.each(['calibrated', 'concepts'])('is the same by workers: %s', async (model) => {
    const options = { num_beams: 2, evidence: true };
    expect(await captions(model, options, 1)).toEqual(await captions(model, options));
  });

  it('weighs what the concepts say of the noun', async () => {
    const judged = await captions('concepts', { evidence: true });
    for (const { captions: all } of judged)
      for (const { evidence, confidence } of all) {
        if (!evidence) throw new Error('no evidence');
        expect(evidence.concept).toBeDefined();
        expect(confidence).toBe(confidenceFrom(withConcepts, evidence));
      }
  });
});
