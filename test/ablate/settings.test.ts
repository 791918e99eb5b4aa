/** From a file and flags to the settings of each variant. */
import { describe, expect, it } from 'vitest';
import { resolveAblation } from '../../src/ablate/settings.ts';
import { parseTrainConfig, presets } from '../../src/train/config/config.ts';
import { mergeSettings } from '../../src/train/config/file.ts';

const place = { data: 'photos', tower: 'tower', output: 'out' };
const variantsOf = (settings: object) => resolveAblation({ ...place, ...settings }, {}).variants;

describe('the variants of an ablation', () => {
  it('are six with the same budget, whose ends are the presets plain and refcap', () => {
    const common = { epochs: 3, learningRate: 1e-3, batchSize: 8 };
    const variants = variantsOf(common);
    expect([...variants.keys()]).toEqual([
      'plain',
      'refinement',
      'alignment',
      'paper',
      'refcap-own',
      'refcap',
    ]);
    expect(variants.get('plain')).toEqual(parseTrainConfig(common));
    expect(variants.get('refcap')).toEqual(parseTrainConfig(mergeSettings(presets.refcap, common)));
    const what = [...variants].map(([name, config]) => [
      name,
      config.refinement?.context ?? null,
      config.alignment !== null,
      name === 'plain' ? null : config.baseWeight,
      name === 'plain' ? null : config.distillationWeight,
      name === 'plain' ? null : config.refinedGradient,
    ]);
    expect(what).toEqual([
      ['plain', null, false, null, null, null],
      ['refinement', 'own', false, 1, 1, 'layers'],
      ['alignment', null, true, 1, 1, 'layers'],
      ['paper', 'own', true, 0, 0, 'whole'],
      ['refcap-own', 'own', true, 1, 1, 'layers'],
      ['refcap', 'siblings', true, 1, 1, 'layers'],
    ]);
    for (const { epochs, learningRate, batchSize, labelSmoothing, schedule } of variants.values())
      expect({ epochs, learningRate, batchSize, labelSmoothing, schedule }).toEqual({
        ...common,
        labelSmoothing: 0.1,
        schedule: 'cosine',
      });
  });

  it('take common settings of layers and weights where they have them', () => {
    const variants = variantsOf({
      refinement: { heads: 4, layers: 2 },
      alignment: { heads: 2 },
      distillationWeight: 2,
      readLayer: 0,
    });
    const of = (name: string) => variants.get(name);
    expect(of('plain')).toEqual(parseTrainConfig({}));
    expect(of('refinement')?.refinement).toMatchObject({ heads: 4, layers: 2, context: 'own' });
    expect(of('refinement')?.alignment).toBe(null);
    expect(of('alignment')).toMatchObject({ refinement: null, readLayer: 0 });
    expect(of('refcap')?.refinement).toMatchObject({ layers: 2, context: 'siblings' });
    expect(of('refcap')?.alignment).toMatchObject({ heads: 2 });
    expect([...variants.values()].map((config) => config.distillationWeight)).toEqual([
      1, 2, 2, 0, 2, 2,
    ]);
  });

  it('of a file are laid over its common settings, a layer of those included', () => {
    const variants = variantsOf({
      refinement: { heads: 4 },
      epochs: 2,
      baseline: 'none',
      variants: {
        none: { refinement: null },
        short: { epochs: 1 },
        wide: { refinement: { layers: 2 } },
      },
    });
    expect(variants.get('none')).toEqual(parseTrainConfig({ epochs: 2 }));
    expect(variants.get('short')).toMatchObject({ epochs: 1, refinement: { heads: 4, layers: 1 } });
    expect(variants.get('wide')).toMatchObject({ epochs: 2, refinement: { heads: 4, layers: 2 } });
  });
});

describe('an ablation that is asked for', () => {
  it('takes the file, and flags before it', () => {
    const file = { ...place, split: 'test', seeds: 5, cache: 'features', epochs: 1 };
    expect(resolveAblation(file, {})).toMatchObject({
      data: 'photos',
      start: { tower: 'tower' },
      output: 'out',
      split: 'test',
      seeds: 5,
      cache: 'features',
      baseline: 'plain',
    });
    const flags = {
      data: 'other',
      model: 'm',
      seeds: 2,
      split: 'dev',
      variants: ['refcap', 'plain'],
    };
    const request = resolveAblation(file, flags);
    expect(request).toMatchObject({ data: 'other', start: { model: 'm' }, seeds: 2, split: 'dev' });
    expect(request.chosen).toEqual(['plain', 'refcap']);
    expect(request.variants.size).toBe(6);
  });

  it('is refused in a sentence', () => {
    const wrong: [object, object, RegExp][] = [
      [{ data: undefined }, {}, /^give --data/],
      [{ output: undefined }, {}, /^give --output/],
      [{ tower: undefined }, {}, /^give --model .* or --tower/],
      [{ model: 'm' }, {}, /tower and model: give one of the two/],
      [{ seeds: 0 }, {}, /^seeds: must be at least 1\.$/],
      [{}, { seeds: 2.5 }, /^seeds: must be a whole number/],
      [{ seeds: 'three' }, {}, /^seeds: /],
      [{ split: 'half' }, {}, /^split: /],
      [{ data: 3 }, {}, /^data: /],
      [{ epoch: 3 }, {}, /^there is no setting epoch;/],
      [{ epochs: 'x' }, {}, /^epochs: /],
      [{ preset: 'refcap' }, {}, /^preset: the variants take its place/],
      [{ seed: 3 }, {}, /^seed: .*give seeds/],
      [{ refinement: null }, {}, /^refinement: null stands/],
      [{ refinement: { context: 'own' } }, {}, /^refinement\.context: the built-in variants fix/],
      [{}, { variants: ['plain', 'full'] }, /no variant 'full'; known: plain, refinement, /],
      [{}, { variants: [] }, /^--variants: name at least one of plain/],
      [{}, { baseline: 'none' }, /^baseline: there is no variant 'none'; known: plain/],
      [{ variants: { a: {} } }, {}, /^baseline: there is no variant 'plain'; known: a\./],
      [{ variants: {} }, {}, /^variants: there must be at least one/],
      [{ variants: [1] }, {}, /^variants: /],
      [{ variants: { plain: {}, '../x': {} } }, {}, /'\.\.\/x' names folders/],
      [{ variants: { plain: 3 } }, {}, /^variants\.plain: the settings must be names/],
      [{ variants: { plain: { seed: 2 } } }, {}, /^variants\.plain\.seed: /],
      [{ variants: { plain: { epoch: 2 } } }, {}, /^variant plain: there is no setting epoch;/],
      [{ variants: { plain: { readLayer: 1 } } }, {}, /^variant plain: readLayer \(1\) needs/],
    ];
    for (const [settings, flags, message] of wrong)
      expect(() => resolveAblation({ ...place, ...settings }, flags)).toThrow(message);
  });
});
