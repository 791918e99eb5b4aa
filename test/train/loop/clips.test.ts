/** Training on clips: what no single frame tells is learned, and written again by `refcap evaluate`. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluateModel } from '../../../src/evaluate/evaluate.ts';
import type { RunOptions } from '../../../src/train/loop/run.ts';
import type { TrainingEvent } from '../../../src/train/loop/trainer.ts';
import { hasFfmpeg, makeFilm } from '../../data/films/films.ts';
import { tinyRuns } from '../tiny-runs.ts';

/** The middle of each is grey: a caption tells of the beginning and the end. */
const clips: readonly (readonly [first: string, last: string])[] = [
  ['red', 'green'],
  ['red', 'blue'],
  ['green', 'blue'],
  ['white', 'red'],
  ['white', 'blue'],
  ['white', 'green'],
];
/** Many steps are in few epochs, as each epoch ends with a validation and a checkpoint. */
const copies = 8;
const captionOf = ([first, last]: (typeof clips)[number]) => `${first} and ${last}`;

const runs = tinyRuns();
beforeAll(async () => {
  if (!hasFfmpeg) return;
  await mkdir(runs.at('clips'));
  const rows: string[] = [];
  for (const [i, [first, last]] of clips.entries()) {
    const colours = [first, 'gray', last].flatMap((colour) => [
      ...['-f', 'lavfi', '-t', '1', '-i', `color=${colour}:s=64x64:r=8`],
    ]);
    const graph = ['-filter_complex', '[0][1][2]concat=n=3,format=yuv420p'];
    const clip = runs.at(`clips/dev-${i}.mp4`);
    makeFilm(...colours, ...graph, '-c:v', 'mpeg4', '-q:v', '2', clip);
    const row = (file: string, split: string) =>
      JSON.stringify({ file, caption: captionOf(clips[i]), split });
    rows.push(row(`dev-${i}.mp4`, 'dev'));
    await copyFile(clip, runs.at(`clips/train-${i}.mp4`));
    for (let copy = 0; copy < copies; copy++) rows.push(row(`train-${i}.mp4`, 'train'));
  }
  await writeFile(runs.at('clips/captions.jsonl'), `${rows.join('\n')}\n`);
});

const settings = {
  batchSize: 6,
  captionsPerImage: 1,
  warmupSteps: 5,
  learningRate: 0.01,
  savedBeams: 1,
  dropout: 0,
  labelSmoothing: 0,
  weightDecay: 0,
  augmentation: null,
  frames: 3,
};

const train = (output: string, more: object, options: Partial<RunOptions> = {}) =>
  runs.train(output, { ...settings, ...more }, { data: runs.at('clips'), ...options });

const evaluate = (model: string, frames?: number) =>
  evaluateModel({
    model: runs.at(model),
    data: runs.at('clips'),
    split: 'dev',
    output: runs.at(`${model.replaceAll('/', '-')}-${frames ?? 'own'}`),
    overwrite: false,
    captioner: { threads: 1 },
    decoding: {},
    batchSize: 4,
    ...(frames !== undefined && { frames }),
    bootstrap: 0,
    seed: 1,
    onNote: () => undefined,
    onCaptioned: () => undefined,
  });

describe.skipIf(!hasFfmpeg)('a training run on clips', () => {
  const memorise = { epochs: 15, refinement: { heads: 4 }, alignment: { heads: 4 } };

  it('memorises what only several frames tell, with both layers; evaluate writes it again', async () => {
    const events = await train('memorise', { ...memorise, samplePictures: 6 });
    const last = events.findLast((event) => event.kind === 'validation');
    if (last?.kind !== 'validation') throw new Error('the run was not validated');
    expect(last.samples).toEqual(
      clips.map((clip, i) => ({ file: `dev-${i}.mp4`, caption: captionOf(clip) })),
    );
    // As many frames as it learned to read, which stands in the model.
    const { metrics, decoding } = await evaluate('memorise/last');
    expect(metrics.Bleu_1).toBeCloseTo(1, 6);
    expect(decoding.frames).toBe(3);
    expect((await runs.json('memorise/last/config.json')).clip_frames).toBe(3);
    const rows = (await readFile(runs.at('memorise-last-own/captions.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ caption }) => caption)).toEqual(clips.map(captionOf));
    // The middle frames are all grey.
    expect((await evaluate('memorise/last', 1)).metrics.Bleu_1).toBeLessThan(0.9);
  });

  it('has the same loss whether a frozen tower’s tokens or pixels are fed', async () => {
    const short = { maxSteps: 1, validationImages: 0, samplePictures: 0 };
    const start = { start: { model: runs.at('memorise/last') } };
    const lossOf = (events: TrainingEvent[]) =>
      events.flatMap((event) => (event.kind === 'step' ? [event.terms.base] : []))[0];
    const cached = lossOf(await train('cached', short, start));
    const pixels = lossOf(await train('pixels', { ...short, visionBlocks: 'all' }, start));
    expect(pixels).toBeLessThan(0.5);
    expect(pixels).toBeCloseTo(cached, 3);
  });

  it('has a second, self-critical stage', async () => {
    const events = await train(
      'scst',
      { stage: 'scst', epochs: 1, maxSteps: 3, learningRate: 1e-3 },
      { start: { model: runs.at('memorise/last') } },
    );
    const rewards = events.flatMap((event) => (event.kind === 'step' ? [event.terms.reward] : []));
    expect(rewards).toHaveLength(3);
    expect(Math.max(...rewards)).toBeGreaterThan(1);
  });

  it('shows pictures beside clips as clips that stand still', async () => {
    const mixed = runs.at('mixed-data');
    await mkdir(mixed);
    makeFilm('-f', 'lavfi', '-i', 'color=blue:s=64x64', '-frames:v', '1', join(mixed, 'still.png'));
    await copyFile(runs.at('clips/dev-0.mp4'), join(mixed, 'clip.mp4'));
    await writeFile(join(mixed, 'still.txt'), 'blue and blue\n'.repeat(60));
    await writeFile(join(mixed, 'clip.txt'), 'red and green\n'.repeat(60));
    const start = { model: runs.at('memorise/last') };
    const events = await train('mixed', { epochs: 3 }, { data: mixed, start, withoutDev: true });
    const last = events.findLast((event) => event.kind === 'validation');
    if (last?.kind !== 'validation') throw new Error('the run was not validated');
    expect(last.samples.map(({ caption }) => caption).sort()).toEqual([
      'blue and blue',
      'red and green',
    ]);
  });
});
