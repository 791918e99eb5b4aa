/** What a settings file asks for: one run, stages, members; and what is refused. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { presets } from '../../../src/train/config/config.ts';
import { mergeSettings, readConfigFile, type Settings } from '../../../src/train/config/file.ts';
import { readRecipe, runsOf } from '../../../src/train/recipe/recipe.ts';
import { repositoryRoot } from '../../paths.ts';

const asIs = (settings: Settings): Settings => settings;

describe('recipes/coco.yaml', () => {
  const path = join(repositoryRoot, 'recipes/coco.yaml');

  it.each(['plain', 'refcap'] as const)("has BLIP's settings under the preset %s", async (name) => {
    const { config } = readRecipe(await readConfigFile(path), name, asIs);
    // configs/caption_coco.yaml and train_caption.py of salesforce/BLIP.
    expect(config).toMatchObject({
      ...{ epochs: 5, batchSize: 8 * 32, learningRate: 1e-5, weightDecay: 0.05, scheduleFloor: 0 },
      ...{ schedule: 'cosine', warmupSteps: 0, prompt: 'a picture of ', labelSmoothing: 0.1 },
      ...{ visionBlocks: 'all', visionLearningRate: 1e-5, savedBeams: 3 },
      ...{ refinement: name === 'plain' ? null : { context: 'siblings' } },
    });
  });
});

describe('readRecipe', () => {
  it('lays the stage over the file over its preset, and what is asked for over all', () => {
    const file = {
      preset: 'plain',
      epochs: 3,
      dropout: 0.3,
      stages: [
        { name: 'one', dropout: 0.1 },
        { name: 'two', preset: 'refcap', from: 'last' },
      ],
    };
    const over = (settings: Settings) => mergeSettings(settings, { seed: 7 });
    const { stages } = readRecipe(file, undefined, over);
    const shown = stages?.map(({ name, from, config }) => [
      name,
      from,
      config.epochs,
      config.dropout,
      config.seed,
      config.distillationWeight,
    ]);
    expect(shown).toEqual([
      ['one', 'best', 3, 0.1, 7, 1],
      ['two', 'last', 3, 0.3, 7, presets.refcap.distillationWeight],
    ]);
  });

  it('reads a file without stages as one run', () => {
    const { config, stages } = readRecipe({ epochs: 2 }, 'plain', asIs);
    expect([config?.epochs, config?.refinement, stages]).toEqual([2, null, undefined]);
  });

  it.each([
    [{ stages: [] }, 'stages: '],
    [{ stages: [{ epochs: 1 }] }, 'stages.0.name: '],
    [{ stages: [{ name: 'a/b' }] }, 'stages.0.name: letters, digits and hyphens'],
    [{ stages: [{ name: 'a' }, { name: 'a' }] }, 'two have the name a'],
    [{ stages: [{ name: 'a', epoch: 1 }] }, 'stage a: there is no setting epoch'],
    [{ stages: [{ name: 'a' }, { name: 'b', width: 64 }] }, 'stage b: width is 64 here and 256'],
    [
      {
        stages: [
          { name: 'a', runs: 2 },
          { name: 'b', from: 'last' },
        ],
      },
      'stage b: from is last, but the average of the 2 runs of stage a is a best model',
    ],
    [{ stages: [{ name: 'a', runs: 0 }] }, 'stages.0.runs: '],
    [{ members: [{ stages: [{ name: 'a' }] }] }, 'members: list two at least'],
    [{ members: [{ stages: [{ name: 'a' }] }, { epochs: 1 }] }, 'members.1.stages: missing'],
    [
      { members: [{ stages: [{ name: 'a' }] }, { stages: [{ name: 'a' }], members: [] }] },
      'members.1.members: a member has stages, and no members of its own',
    ],
    [
      { members: [{ stages: [{ name: 'a' }] }, { stages: [{ name: 'a', epochs: 0 }] }] },
      'member 2: stage a: epochs',
    ],
    [
      {
        members: [{ stages: [{ name: 'a' }] }, { minWordCount: 2, stages: [{ name: 'a' }] }],
      },
      'member 2: minWordCount is 2 here and 5 in the first member',
    ],
    [
      { members: [{ stages: [{ name: 'a' }] }, { maxWords: 12, stages: [{ name: 'a' }] }] },
      'member 2: maxWords is 12 here',
    ],
    [{ preset: 'best', stages: [{ name: 'a' }] }, "stage a: preset: there is no 'best'"],
  ])('refuses %j', (file, message) => {
    expect(() => readRecipe(file, undefined, asIs)).toThrow(message);
  });

  it('gives the runs of a stage a seed each', () => {
    const { stages = [] } = readRecipe(
      { stages: [{ name: 'a', runs: 3, seed: 5 }] },
      'plain',
      asIs,
    );
    const runs = runsOf(stages[0]);
    expect(runs.map(({ seed }) => seed)).toEqual([5, 6, 7]);
    expect(runs.map(({ seed: _, ...rest }) => rest)).toEqual(
      Array.from({ length: 3 }, () => {
        const { seed: __, ...rest } = stages[0].config;
        return rest;
      }),
    );
  });
});
