/** Training end to end on a tiny tower and made-up pictures. */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Captioner } from '../../../src/caption/captioner.ts';
import { convertModel } from '../../../src/model/checkpoint/convert.ts';
import { parseTrainConfig, presets } from '../../../src/train/config/config.ts';
import type { RunOptions } from '../../../src/train/loop/run.ts';
import type { TrainingEvent } from '../../../src/train/loop/trainer.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { tinyRuns } from '../tiny-runs.ts';

const small = {
  batchSize: 4,
  width: 32,
  heads: 4,
  layers: 1,
  minWordCount: 1,
  warmupSteps: 5,
  logEvery: 1,
  learningRate: 1e-3,
  savedBeams: 1,
};

/** Both layers, in sizes of the tiny decoder. */
const layers = { refinement: { heads: 4, context: 'siblings' }, alignment: { heads: 4 } };

const { at, train } = tinyRuns(small);

const baseLosses = (events: TrainingEvent[]) =>
  events.flatMap((e) => (e.kind === 'step' ? [e.terms.base] : []));

const weightsOf = (model: string, name = 'model.safetensors') => readFile(at(model, name));

/** Runs until `step`, as if the process had got a signal then; the error is the signal's. */
async function stopAt(output: string, settings: object, step: number, more: Partial<RunOptions>) {
  const stop = new AbortController();
  const onEvent = (event: TrainingEvent) => {
    if (event.kind === 'step' && event.step === step) stop.abort();
  };
  await expect(train(output, settings, { ...more, signal: stop.signal, onEvent })).rejects.toThrow(
    'abort',
  );
}

describe('a training run', () => {
  it('memorises a handful of pictures with both layers, and writes their captions', async () => {
    const settings = {
      ...layers,
      epochs: 160,
      learningRate: 0.01,
      dropout: 0,
      labelSmoothing: 0,
      weightDecay: 0,
      augmentation: null,
      validationImages: 0,
    };
    const events = await train('memorise', settings);
    // Two captions a picture: the choice between their first words alone costs log 2 / 5 words.
    const floor = (Math.log(2) * 16) / (8 * (4 + 5));
    expect(baseLosses(events).at(-1)).toBeLessThan(floor + 0.05);
    expect(events.filter((e) => e.kind === 'validation')).toHaveLength(160);
    expect((await readdir(at('memorise'))).sort()).toEqual([
      'best',
      'checkpoints',
      'config.json',
      'last',
      'metrics.jsonl',
      'report.html',
    ]);
    const text = await readFile(at('memorise/metrics.jsonl'), 'utf8');
    const lines = text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(events)));
    using captioner = await Captioner.load(at('memorise/last'));
    const { caption } = await captioner.caption(at('pictures/red-circle.png'));
    expect(['a red circle', 'the circle is red']).toContain(caption);
  });

  it('gives the same weights bit for bit for the same seed, others for another', async () => {
    await train('seed-a', { epochs: 2, dropout: 0.2, seed: 3 });
    await train('seed-b', { epochs: 2, dropout: 0.2, seed: 3 });
    await train('seed-c', { epochs: 2, dropout: 0.2, seed: 4 });
    await train('seed-d', { epochs: 2, dropout: 0.2, imageDropout: 0.2, seed: 3 });
    const first = await weightsOf('seed-a/last');
    expect(first).toEqual(await weightsOf('seed-b/last'));
    expect(first).not.toEqual(await weightsOf('seed-c/last'));
    expect(first).not.toEqual(await weightsOf('seed-d/last'));
  });

  it('goes on after interruptions to the very bits of an uninterrupted run', async () => {
    const settings = {
      ...layers,
      epochs: 4,
      dropout: 0.2,
      imageDropout: 0.1,
      ema: 0.9,
      views: 2,
      checkpointEvery: 1,
    };
    await train('whole', settings);
    await stopAt('parts', settings, 1, {});
    await stopAt('parts', settings, 2, { resume: true });
    await stopAt('parts', settings, 5, { resume: true });
    await train('parts', settings, { resume: true });
    for (const name of ['model.safetensors', 'refinement.safetensors'])
      expect(await weightsOf('parts/last', name)).toEqual(await weightsOf('whole/last', name));
    const metrics = async (run: string) =>
      (await readFile(at(run, 'metrics.jsonl'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map(({ kind, step, loss, losses }) => ({ kind, step, loss, losses }));
    expect(await metrics('parts')).toEqual(await metrics('whole'));
    // A finished run has nothing left to do.
    await train('parts', settings, { resume: true });
    expect(await weightsOf('parts/last')).toEqual(await weightsOf('whole/last'));
  });

  it('validates and saves after all when it was interrupted after its last step', async () => {
    const settings = { epochs: 1, dropout: 0.2 };
    await train('to-the-end', settings);
    const steps = (await readFile(at('to-the-end/metrics.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .filter((line) => JSON.parse(line).kind === 'step').length;
    await stopAt('at-the-end', settings, steps, {});
    expect(await readdir(at('at-the-end'))).not.toContain('best');
    await train('at-the-end', settings, { resume: true });
    for (const model of ['best', 'last'])
      expect(await weightsOf(`at-the-end/${model}`)).toEqual(
        await weightsOf(`to-the-end/${model}`),
      );
  });

  it('goes on from the last checkpoint when later work was lost', async () => {
    const settings = { epochs: 3, dropout: 0.2, checkpointEvery: 1, keepCheckpoints: 9 };
    await train('kept', settings);
    await cp(at('kept'), at('lost'), { recursive: true });
    for (const step of [4, 5, 6])
      await rm(at(`lost/checkpoints/step-${step}`), { recursive: true, force: true });
    // What a kill leaves: half a checkpoint under a temporary name, and a cut line.
    await cp(at('lost/checkpoints/step-3'), at('lost/checkpoints/.step-4.1.tmp'), {
      recursive: true,
    });
    const path = at('lost/metrics.jsonl');
    await writeFile(path, `${await readFile(path, 'utf8')}{"kind":"st`);
    await train('lost', settings, { resume: true });
    expect(await weightsOf('lost/last')).toEqual(await weightsOf('kept/last'));
    expect(await readdir(at('lost/checkpoints'))).not.toContain('.step-4.1.tmp');
  });

  it('computes the same step in micro-batches', async () => {
    const settings = { epochs: 1, dropout: 0, augmentation: null, ...layers };
    const still = {
      ...settings,
      refinement: { ...layers.refinement, dropout: 0 },
      alignment: { ...layers.alignment, dropout: 0 },
    };
    const whole = await train('batch-whole', still);
    const parts = await train('batch-parts', { ...still, microBatch: 1 });
    const [a, b] = [baseLosses(whole), baseLosses(parts)];
    expect(a.length).toBe(b.length);
    for (const [i, x] of a.entries()) expect(b[i]).toBeCloseTo(x, 4);
  });

  it('refuses to go on with other settings, listing them, unless told to', async () => {
    await train('changed', { epochs: 1 });
    const other = { epochs: 2, dropout: 0.3 };
    await expect(train('changed', other, { resume: true })).rejects.toThrow(
      /train\.dropout: 0\.15 before, 0\.3 now/,
    );
    const notes: string[] = [];
    await train('changed', other, {
      resume: true,
      allowChanges: true,
      onNote: (note) => notes.push(note),
    });
    expect(notes.some((note) => note.includes('train.epochs: 1 before, 2 now'))).toBe(true);
  });

  it('goes on with a run that was begun before a setting was there', async () => {
    await train('older', { epochs: 1 });
    const path = at('older/config.json');
    const saved = JSON.parse(await readFile(path, 'utf8'));
    delete saved.train.visionLearningRate;
    await writeFile(path, JSON.stringify(saved));
    await train('older', { epochs: 1 }, { resume: true });
    const other = train(
      'older',
      { epochs: 1, visionBlocks: 1, visionLearningRate: 1e-4 },
      { resume: true },
    );
    await expect(other).rejects.toThrow('train.visionLearningRate: null before, 0.0001 now');
  });

  it('refuses a checkpoint of another architecture', async () => {
    await train('wide', { epochs: 1 });
    await expect(
      train('wide', { epochs: 2, width: 64 }, { resume: true, allowChanges: true }),
    ).rejects.toThrow('another architecture');
  });

  it('lets one trainer at a time into a folder', async () => {
    let second: Promise<unknown> | undefined;
    await train(
      'locked',
      { epochs: 1 },
      {
        onEvent: () => {
          second ??= train('locked', { epochs: 1 }, { resume: true }).catch((error) => error);
        },
      },
    );
    expect(String(await second)).toContain(`in use by process ${process.pid}`);
  });

  it('saves the tower and the decoder as one model', async () => {
    await train('names', { epochs: 1 });
    await using saved = await openWeights(at('names/last'));
    await using tower = await openWeights(at('tower'));
    for (const name of tower.tensors.keys()) {
      const before = await tower.readFloat32(name);
      const after = await saved.readFloat32(`vision_model.${name}`);
      // f16 keeps 11 bits.
      for (const [i, x] of before.entries())
        expect(Math.abs(after[i] - x)).toBeLessThanOrEqual(Math.abs(x) * 2 ** -11 + 1e-7);
    }
    expect(saved.tensors.has('text_decoder.cls.predictions.bias')).toBe(true);
  });

  it('keeps the training-only layers beside the model, for those who ask', async () => {
    await train('refiner', { ...layers, epochs: 6, learningRate: 0.01 });
    const model = at('refiner/last');
    const picture = at('pictures/blue-square.png');
    using base = await Captioner.load(model);
    using kept = await Captioner.load(model, { keepRefiner: true });
    const [a, b] = [await base.caption(picture), await kept.caption(picture)];
    expect(b.captions[0].logprob).not.toBe(a.captions[0].logprob);
    await train('no-refiner', { epochs: 1 });
    await expect(Captioner.load(at('no-refiner/last'), { keepRefiner: true })).rejects.toThrow(
      'there is no refinement.safetensors',
    );
  });

  it('trains a tower too: its last blocks alone move', async () => {
    await train('blocks', { epochs: 1, visionBlocks: 1, dtype: 'f32' });
    await using saved = await openWeights(at('blocks/last'));
    await using tower = await openWeights(at('tower'));
    const moved = async (name: string) => {
      const [a, b] = [
        await tower.readFloat32(name),
        await saved.readFloat32(`vision_model.${name}`),
      ];
      return a.some((x, i) => x !== b[i]);
    };
    expect(await moved('head.weight')).toBe(true);
    expect(await moved('blocks.0.project.weight')).toBe(false);
    await expect(train('many', { visionBlocks: 9 })).rejects.toThrow('visionBlocks (9)');
  });

  it('goes on from a trained model: cross-entropy, low-rank adapters, self-critical', async () => {
    await train('first', { epochs: 30, learningRate: 0.01, dtype: 'f32' });
    const start = { model: at('first/last') };
    const more = { start };
    const adapters = { rank: 2, layers: ['query', 'value'] };
    const changes = { epochs: 3, lora: adapters, learningRate: 0.05, dtype: 'f32' };
    const adapted = await train('adapted', changes, more);
    await using before = await openWeights(at('first/last'));
    await using after = await openWeights(at('adapted/last'));
    expect([...after.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort());
    const layer = 'text_decoder.bert.encoder.layer.0';
    const changed = async (name: string) => {
      const [a, b] = [await before.readFloat32(name), await after.readFloat32(name)];
      return a.some((x, i) => x !== b[i]);
    };
    expect(await changed(`${layer}.attention.self.query.weight`)).toBe(true);
    expect(await changed(`${layer}.attention.self.key.weight`)).toBe(false);
    // What was saved is what was trained: the merged weights have the adapted graph's dev loss.
    const devLoss = (list: TrainingEvent[]) =>
      list.flatMap((e) => (e.kind === 'validation' ? [e.losses.base] : [])).at(-1) ?? Number.NaN;
    const still = { epochs: 1, learningRate: 1e-12, dropout: 0 };
    const again = await train('merged', still, { start: { model: at('adapted/last') } });
    expect(devLoss(again)).toBeCloseTo(devLoss(adapted), 4);
    const without = await train('unmerged', still, more);
    expect(Math.abs(devLoss(without) - devLoss(adapted))).toBeGreaterThan(1e-3);

    const events = await train(
      'critical',
      { epochs: 4, stage: 'scst', learningRate: 1e-3, scst: { samples: 3, crossEntropy: 0 } },
      more,
    );
    const rewards = events.flatMap((e) => (e.kind === 'step' ? [e.terms.reward] : []));
    expect(rewards.every(Number.isFinite)).toBe(true);
    // A model that knows the pictures draws captions worth something.
    expect(Math.max(...rewards)).toBeGreaterThan(0);
    const greedy = { samples: 2, baseline: 'greedy', crossEntropy: 0.5 };
    const mixed = await train(
      'greedy',
      { ...layers, epochs: 1, stage: 'scst', scst: greedy },
      more,
    );
    const [step] = mixed.flatMap((e) => (e.kind === 'step' ? [e] : []));
    expect(Object.keys(step.terms).sort()).toEqual(
      ['base', 'distillation', 'policy', 'refined', 'reward'].sort(),
    );
    await expect(train('no-start', { stage: 'scst' })).rejects.toThrow('needs a trained captioner');
  });

  it('skips steps without a finite loss and stops after a set number, keeping the last model', async () => {
    const events: TrainingEvent[] = [];
    const settings = {
      epochs: 40,
      learningRate: 1e30,
      warmupSteps: 0,
      maxSkippedSteps: 4,
      schedule: 'constant',
      validationImages: 0,
      samplePictures: 0,
    };
    const run = train('explode', settings, { onEvent: (event) => events.push(event) });
    await expect(run).rejects.toThrow(
      '4 steps in a row had no finite loss or gradient; lower learningRate (1e+30)',
    );
    expect(events.filter((e) => e.kind === 'skipped').length).toBeGreaterThanOrEqual(4);
  });

  it('leaves out a picture that cannot be read, and names a folder that holds a run', async () => {
    const picture = at('pictures/red-circle.png');
    const before = await readFile(picture);
    await writeFile(picture, before.subarray(0, 60));
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    const events = await train('broken', { epochs: 1, batchSize: 1 }, { onNote });
    expect(notes.filter((note) => /left out: .*[/]red-circle\.png/.test(note))).toHaveLength(1);
    expect(events.filter((e) => e.kind === 'step')).toHaveLength(7);
    await train('broken-pixels', { epochs: 1, visionBlocks: 1 }, { onNote });
    expect(notes.filter((note) => /left out/.test(note))).toHaveLength(2);
    await writeFile(picture, before);
    await train('twice', { epochs: 1 });
    await expect(train('twice', { epochs: 1 })).rejects.toThrow('there is a run already');
  });

  it('leaves a checkpoint when a picture goes bad on the way', async () => {
    const picture = at('pictures/red-circle.png');
    const before = await readFile(picture);
    const settings = { epochs: 3, visionBlocks: 'all', batchSize: 2 };
    const spoil = (event: TrainingEvent) =>
      event.kind === 'validation' && event.epoch === 1
        ? writeFile(picture, before.subarray(0, 60))
        : undefined;
    await expect(train('spoilt', settings, { onEvent: spoil })).rejects.toThrow('red-circle.png');
    expect((await readdir(at('spoilt/checkpoints'))).length).toBeGreaterThan(0);
    await writeFile(picture, before);
    await train('spoilt', settings, { resume: true });
    await train('unspoilt', settings);
    expect(await weightsOf('spoilt/last')).toEqual(await weightsOf('unspoilt/last'));
  });

  it('says so when it is stopped and its state cannot be saved', async () => {
    const stop = new AbortController();
    const onEvent = async (event: TrainingEvent) => {
      if (event.kind !== 'step' || event.step !== 2) return;
      await writeFile(at('unsaved/checkpoints'), 'in the way');
      stop.abort();
    };
    const run = train('unsaved', { epochs: 2 }, { signal: stop.signal, onEvent });
    await expect(run).rejects.toThrow(/EEXIST.*checkpoints/);
  });

  it('goes on with the micro-batches that a memory limit once gave it', async () => {
    await train('limited', { epochs: 1, microBatch: 2 });
    await train('limited', { epochs: 1 }, { resume: true });
    const path = at('limited/config.json');
    expect(JSON.parse(await readFile(path, 'utf8')).train.microBatch).toBe(2);
    const little = train('limited', { epochs: 1 }, { resume: true, memoryLimit: 1e4 });
    await expect(little).rejects.toThrow('the memory limit is 0.0 GiB');
  });

  it('refuses adapters that would leave nothing to train, and another kind of folder', async () => {
    await train('to-adapt', { epochs: 1 });
    const start = { model: at('to-adapt/best') };
    const lora = { layers: ['q_proj', 'v_proj'] };
    await expect(train('no-layers', { lora }, { start })).rejects.toThrow(
      "lora.layers: no layer's name ends in q_proj or v_proj",
    );
    await expect(train('fresh', { lora: {} })).rejects.toThrow('lora adapts a trained captioner');
    await mkdir(at('recipe'));
    await writeFile(at('recipe/stages.json'), '{"stages": []}');
    await expect(train('recipe', { epochs: 1 }, { resume: true })).rejects.toThrow(
      "recipe: the folder holds a recipe's stages, which go on with its --config",
    );
  });

  it('tells models apart by all their weights', async () => {
    await train('one-epoch', { epochs: 1 });
    await cp(at('one-epoch/best'), at('base'), { recursive: true });
    const start = { model: at('base') };
    await train('tuned', { epochs: 1 }, { start });
    await train('two-epochs', { epochs: 2 });
    await cp(at('two-epochs/best'), at('base'), { recursive: true });
    await expect(train('tuned', { epochs: 1 }, { start, resume: true })).rejects.toThrow(
      /start\.fingerprint: /,
    );
  });

  it('keeps the layers when a model is converted', async () => {
    await train('layered', { epochs: 1, ...layers });
    const [from, to] = ['layered/best', 'layered-converted'].map((name) => at(name));
    await convertModel(from, to);
    using kept = await Captioner.load(to, { keepRefiner: true });
    using before = await Captioner.load(from, { keepRefiner: true });
    const picture = at('pictures/red-circle.png');
    expect((await kept.caption(picture)).captions).toEqual(
      (await before.caption(picture)).captions,
    );
  });

  it('stops early when nothing gets better', async () => {
    const events = await train('patience', {
      epochs: 50,
      patience: 2,
      learningRate: 1e-12,
      warmupSteps: 0,
      bestBy: 'CIDEr-D',
    });
    expect(events.filter((e) => e.kind === 'validation')).toHaveLength(3);
  });

  it('refuses settings that do not fit, naming both', () => {
    const wrong: [object, string][] = [
      [{ width: 30, heads: 8 }, 'heads (8) does not divide width (30)'],
      [{ batchSize: 4, microBatch: 8 }, 'microBatch (8) is more than batchSize (4)'],
      [{ views: 2, augmentation: null }, 'views (2) needs augmentation'],
      [{ views: 2, visionBlocks: 1 }, 'views (2) are for a frozen tower, but visionBlocks is 1'],
      [{ readLayer: 0 }, 'readLayer (0) needs refinement or alignment'],
      [{ bestBy: 'METEOR', validationImages: 0 }, 'bestBy (METEOR) needs captions'],
      [{ dropout: 1.5 }, 'dropout'],
      [{ droput: 0.1 }, 'droput'],
      [{ refinement: { layer: 2 } }, 'refinement: there is no setting layer'],
    ];
    for (const [settings, message] of wrong)
      expect(() => parseTrainConfig(settings)).toThrow(message);
    for (const preset of Object.values(presets))
      expect(() => parseTrainConfig(preset)).not.toThrow();
  });
});

describe('unusual data', () => {
  const withCaptions = async (name: string, edit: (rows: string[]) => string[]) => {
    const copy = at(name);
    await cp(at('pictures'), copy, { recursive: true });
    const path = join(copy, 'captions.csv');
    const rows = (await readFile(path, 'utf8')).trim().split('\n');
    await writeFile(path, `${edit(rows).join('\n')}\n`);
    return copy;
  };

  it('refuses an empty split, naming it', async () => {
    const data = await withCaptions('no-dev', (rows) => rows.filter((row) => !/,dev$/.test(row)));
    await expect(train('no-dev-run', { epochs: 1 }, { data })).rejects.toThrow(
      'the dev split has no image with a caption',
    );
    const other = await withCaptions('no-train', (rows) =>
      rows.filter((row) => !/,train$/.test(row)),
    );
    await expect(train('no-train-run', { epochs: 1 }, { data: other })).rejects.toThrow(
      'the train split has no image with a caption',
    );
  });

  it('trains on a caption of unknown words alone, and never writes them', async () => {
    const data = await withCaptions('unknown', (rows) => [
      ...rows,
      'red-circle.png,zyx wvu tsr,train',
    ]);
    const events = await train('unknown-run', { epochs: 2, minWordCount: 2 }, { data });
    expect(baseLosses(events).every(Number.isFinite)).toBe(true);
    for (const event of events)
      if (event.kind === 'validation')
        for (const { caption } of event.samples) expect(caption).not.toMatch(/unk|zyx/i);
  });

  it('chooses word pieces from a given vocabulary, and spells other words with them', async () => {
    const vocabulary = at('pieces.txt');
    const pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'the', 'is', 'red', 'cir', '##cle'];
    await writeFile(vocabulary, `${pieces.join('\n')}\n`);
    await train('pieces-run', { epochs: 1, vocabulary });
    const saved = await readFile(at('pieces-run/last/vocab.txt'), 'utf8');
    expect(saved.split('\n')).toEqual(expect.arrayContaining(['red', 'square', 'yellow']));
    await expect(train('no-pieces', { epochs: 1, vocabulary: at('none.txt') })).rejects.toThrow(
      'none.txt: there is no such vocabulary',
    );
  });

  it('finds a damaged shard of features, computes it again and says so', async () => {
    const cache = at('damaged');
    const options = { cache };
    await train('shard-a', { epochs: 1 }, options);
    const [shard] = (await readdir(cache)).filter((name) => name.endsWith('.f16'));
    const bytes = await readFile(join(cache, shard));
    bytes[bytes.length - 9] ^= 255;
    await writeFile(join(cache, shard), bytes);
    const notes: string[] = [];
    await train('shard-b', { epochs: 1 }, { cache, onNote: (note) => notes.push(note) });
    expect(notes.some((note) => note.includes(shard))).toBe(true);
    expect(await weightsOf('shard-b/last')).toEqual(await weightsOf('shard-a/last'));
  });
});
