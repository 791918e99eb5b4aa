/** Streamed runs of a tiny decoder, from shards that refcap data pack wrote. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { packDataset } from '../../../src/data/pack/pack.ts';
import { peersOver } from '../../../src/train/distributed/collectives.ts';
import { inProcessTransports } from '../../../src/train/distributed/in-process.ts';
import type { TrainingEvent } from '../../../src/train/loop/trainer.ts';
import { tarOf } from '../../data/shards/shards.ts';
import { tinyRuns } from '../tiny-runs.ts';

const runs = tinyRuns();
const { at, weights } = runs;
const plain = { refinement: null, alignment: null, learningRate: 1e-3 };
const streamed = { ...plain, batchSize: 2, epochs: 2, stream: { buffer: 3 } };

/** A streamed run that starts from the captioner which the first test's folder has. */
const train = (
  output: string,
  settings: object = {},
  more: Parameters<typeof runs.train>[2] = {},
): Promise<TrainingEvent[]> =>
  runs.train(
    output,
    { ...streamed, ...settings },
    {
      ...{ data: at('shards'), start: { model: at('base', 'last') }, cache: at('cache') },
      ...more,
    },
  );

beforeAll(async () => {
  await runs.train('base', { ...plain, epochs: 1 });
  // Two pictures a shard or so, by their bytes.
  await packDataset(at('pictures'), at('shards'), { format: 'webdataset', shardBytes: 500 });
});

const losses = (events: readonly TrainingEvent[]) =>
  events.flatMap((event) => (event.kind === 'step' ? [event.loss] : []));

async function notesOf(output: string, settings: object, more: Parameters<typeof train>[2] = {}) {
  const notes: string[] = [];
  await train(output, settings, { ...more, onNote: (note) => notes.push(note) });
  return notes;
}

describe('a streamed run', () => {
  it('makes the steps that the manifest counts, says what it does, and learns', async () => {
    const notes: string[] = [];
    const events = await train('told', { epochs: 8 }, { onNote: (note) => notes.push(note) });
    const names = readdirSync(at('shards')).filter((name) => name.startsWith('train-'));
    expect(names.length).toBeGreaterThan(2);
    expect(notes).toContainEqual(
      expect.stringMatching(
        new RegExp(`^${names.length} train shards, 8 images an epoch, and 2 dev images to measure`),
      ),
    );
    expect(losses(events)).toHaveLength(8 * 4);
    const found = events.flatMap((event) =>
      event.kind === 'validation' ? [event.losses.base] : [],
    );
    expect(found[7]).toBeLessThan(found[0] - 0.3);
    expect(await runs.json('told/config.json')).toMatchObject({
      data: { train: 8, dev: 2 },
      train: { stream: { buffer: 3, epochImages: null, features: 'cached', countWords: false } },
    });
  });

  it.each([
    { name: 'cached', settings: { views: 3, dropout: 0.2 } },
    { name: 'computed', settings: { stream: { buffer: 3, features: 'computed' } } },
    { name: 'trained tower', settings: { visionBlocks: 1 } },
  ])('goes on to the very bits wherever it is stopped: $name', async ({ name, settings }) => {
    const calm = await train(`${name}-calm`, settings);
    expect(losses(calm)).toHaveLength(8);
    const step = 1 + createRandom(name.length).integer(7);
    const stop = new AbortController();
    const stopped = train(`${name}-hurt`, settings, {
      signal: stop.signal,
      cache: at(`${name}-cache`),
      onEvent: (event) => {
        if (event.kind === 'step' && event.step === step) stop.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    const rest = await train(`${name}-hurt`, settings, { resume: true });
    expect(losses(rest)).toEqual(losses(calm).slice(step));
    expect(await weights(`${name}-hurt`)).toEqual(await weights(`${name}-calm`));
  });

  it.each(['cached', 'computed'])('goes on to the bit in tables, features %s', async (features) => {
    const tables = at('tables');
    await packDataset(at('pictures'), tables, { format: 'parquet', shardBytes: 500 });
    const settings = { stream: { buffer: 3, features } };
    const calm = await train(`tables-${features}`, settings, { data: tables });
    const stop = new AbortController();
    const stopped = train(`tables-${features}-hurt`, settings, {
      ...{ data: tables, signal: stop.signal },
      onEvent: (event) => {
        if (event.kind === 'step' && event.step === 6) stop.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    const rest = await train(`tables-${features}-hurt`, settings, { data: tables, resume: true });
    expect(losses(rest)).toEqual(losses(calm).slice(6));
    expect(await weights(`tables-${features}-hurt`)).toEqual(await weights(`tables-${features}`));
  });

  it('has the same losses whether features are kept or computed, to the rounding of 16 bits', async () => {
    const settings = { augmentation: null, dropout: 0, epochs: 1 };
    const kept = losses(await train('kept', settings));
    const computed = losses(
      await train('computed', { ...settings, stream: { buffer: 3, features: 'computed' } }),
    );
    expect(kept).toHaveLength(4);
    for (const [i, loss] of kept.entries()) expect(Math.abs(loss - computed[i])).toBeLessThan(2e-3);
    // A picture that moves the loss by less than that would not be told from another.
    expect(Math.max(...kept) - Math.min(...kept)).toBeGreaterThan(0.02);
  });

  it('keeps features in its cache, shard by shard, which a second run finds', async () => {
    const told = async (output: string) => {
      let computed = 0;
      const onFeatures = (done: number) => {
        computed = Math.max(computed, done);
      };
      await train(output, { views: 2 }, { cache: at('own'), onFeatures });
      return computed;
    };
    expect(await told('first')).toBeGreaterThan(0);
    expect(readdirSync(at('own')).filter((name) => name.endsWith('.f16')).length).toBeGreaterThan(
      2,
    );
    expect(await told('second')).toBe(0);
  });

  it('leaves a damaged picture out, with a sentence, the same whether stopped or not', async () => {
    const folder = at('hurt-shards');
    cpSync(at('shards'), folder, { recursive: true });
    const [name] = readdirSync(folder).filter((each) => each.startsWith('train-'));
    const bytes = readFileSync(join(folder, name));
    // Within the first picture, behind the tar's header and PNG's.
    bytes.fill(7, 512 + 60, 512 + 200);
    writeFileSync(join(folder, name), bytes);
    for (const features of ['cached', 'computed']) {
      const settings = { stream: { buffer: 3, features } };
      const notes = await notesOf(`${features}-left`, settings, { data: folder });
      const told = notes.filter((note) => note.startsWith('left out: tar://'));
      expect(told).toHaveLength(1);
      expect(told[0]).toContain(`::${join(folder, name)}`);
      const stop = new AbortController();
      await expect(
        train(`${features}-again`, settings, {
          ...{ data: folder, signal: stop.signal },
          onEvent: (event) => {
            if (event.kind === 'step' && event.step === 3) stop.abort(new Error('enough'));
          },
        }),
      ).rejects.toThrow('enough');
      await train(`${features}-again`, settings, { data: folder, resume: true });
      expect(await weights(`${features}-again`)).toEqual(await weights(`${features}-left`));
    }
  });

  it('trains on two ranks, and goes on to the bit', async () => {
    const together = async (output: string, more: Parameters<typeof train>[2] = {}) => {
      const jobs = inProcessTransports(2, more.signal).map((transport) => peersOver(transport));
      const started = jobs.map((peers) => train(output, {}, { ...more, peers }));
      await Promise.allSettled(started);
      return started[0];
    };
    const calm = await together('both');
    expect(losses(calm)).toHaveLength(4);
    const stop = new AbortController();
    const stopped = together('both-again', {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === 'step' && event.step === 3) stop.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    await together('both-again', { resume: true });
    expect(await weights('both-again')).toEqual(await weights('both'));
  });

  it('measures training pictures where there is no dev split', async () => {
    const folder = at('no-dev');
    mkdirSync(folder);
    const [name] = readdirSync(at('shards')).filter((each) => each.startsWith('train-'));
    cpSync(join(at('shards'), name), join(folder, 'x.tar'));
    const settings = { stream: { epochImages: 2 }, batchSize: 1, epochs: 1 };
    await expect(train('no-dev-run', settings, { data: folder })).rejects.toThrow(
      /none is of the dev split; pack with splits .*\(--no-dev\)\.$/,
    );
    rmSync(at('no-dev-run'), { recursive: true, force: true });
    const notes = await notesOf('no-dev-run', settings, { data: folder, withoutDev: true });
    expect(notes).toContainEqual(expect.stringContaining('no dev split: the scores are of'));
  });

  it('refuses to go on with other shards', async () => {
    const folder = at('changed');
    cpSync(at('shards'), folder, { recursive: true });
    await train('other', { epochs: 1 }, { data: folder });
    const path = join(folder, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    for (const shard of manifest.shards) shard.sha256 = `another ${shard.sha256}`;
    writeFileSync(path, JSON.stringify(manifest));
    const again = { data: folder, resume: true };
    await expect(train('other', { epochs: 1 }, again)).rejects.toThrow(
      /other: the run was made otherwise: data: "[0-9a-f]{64} [0-9a-f]{64}" before, "/,
    );
    await expect(train('other', { epochs: 1, stream: { buffer: 4 } }, again)).rejects.toThrow(
      'train.stream.buffer: 3 before, 4 now',
    );
  });
});

describe('what a stream cannot do', () => {
  const refuse = async (settings: object, more: Parameters<typeof train>[2] = {}) => {
    const output = 'refused';
    const error: unknown = await train(output, settings, more).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    rmSync(at(output), { recursive: true, force: true });
    return error instanceof Error ? error.message : error;
  };

  it('is said in a sentence: settings that need all pictures first', async () => {
    const wrong: [object, string][] = [
      [{ stage: 'scst' }, 'stage scst rewards words by how rare they are in all captions'],
      [{ concepts: {} }, 'concepts are fitted to all pictures'],
      [{ texts: { files: ['x'] } }, 'texts teach concepts, which are fitted to all pictures'],
      [{ moreData: [{ data: 'x' }] }, 'moreData is drawn from all pictures of its sources'],
      [{ weightReviewed: 2 }, 'weightReviewed (2) repeats pictures, which are counted first'],
      [
        { alignment: { heads: 4, grounding: { entities: 'x' } } },
        'alignment.grounding matches its boxes with all pictures',
      ],
      [
        { views: 2, stream: { features: 'computed' } },
        'views (2) are stored, but stream.features is computed',
      ],
    ];
    for (const [settings, sentence] of wrong) {
      // Settings are refused when they are parsed.
      const parsed = await Promise.resolve()
        .then(() => refuse(settings))
        .catch((error: unknown) => (error instanceof Error ? error.message : error));
      expect(parsed).toContain(sentence);
    }
  });

  it('is said in a sentence: data', async () => {
    expect(await refuse({}, { data: at('pictures') })).toMatch(
      /pictures: only shards are streamed \(\.tar, \.zip, \.parquet\); pack it with refcap data pack/,
    );
    const folder = at('uncounted');
    cpSync(at('shards'), folder, { recursive: true });
    rmSync(join(folder, 'manifest.json'));
    expect(await refuse({}, { data: folder })).toMatch(
      /how many pictures an epoch has is not known, as no manifest\.json .* give --set stream\.epochImages=N\.$/,
    );
    writeFileSync(join(folder, 'manifest.json'), '{"by": "another program"}');
    expect(await refuse({}, { data: folder })).toContain('--set stream.epochImages=N');
    expect(await refuse({}, { start: { tower: at('tower') } })).toContain(
      'give vocabulary (a vocab.txt), --set stream.countWords=true',
    );
    const empty = at('empty');
    tarOf(join(empty, 'train-0.tar'), { 'a.png': readFileSync(at('pictures/red-circle.png')) });
    expect(await refuse({ stream: { epochImages: 9 } }, { data: empty })).toMatch(
      /no picture with a caption is in the first train shard; name the caption's field/,
    );
  });

  it('counts the words of all captions once where it is asked to, as a run without it does', async () => {
    const settings = { stream: { buffer: 3, countWords: true }, epochs: 1, minWordCount: 3 };
    const start = { tower: at('tower') };
    const notes = await notesOf('counted', settings, { start });
    expect(notes.join('\n')).toMatch(/counting the words of \d+ train shards, whose captions are/);
    const whole = { ...plain, epochs: 1, minWordCount: 3 };
    await runs.train('whole', whole, { data: at('shards'), start });
    const vocabulary = (run: string) => readFileSync(at(run, 'last', 'vocab.txt'), 'utf8');
    expect(vocabulary('counted')).toBe(vocabulary('whole'));
    const again = await notesOf('counted-again', settings, { start });
    expect(again.join('\n')).not.toContain('counting');
    expect(vocabulary('counted-again')).toBe(vocabulary('whole'));
    expect(await refuse(settings)).toContain('a captioner keeps its own: give --tower');
    const both = await Promise.resolve()
      .then(() => refuse({ ...settings, vocabulary: 'x.txt' }, { start }))
      .catch((error: unknown) => (error instanceof Error ? error.message : error));
    expect(both).toContain('stream.countWords makes a vocabulary, but vocabulary gives one');
  });

  it('trains a fresh decoder with a vocabulary that is given', async () => {
    const vocabulary = at('vocab.txt');
    const words = '[PAD] [UNK] [CLS] [SEP] a the is red green blue yellow square circle';
    writeFileSync(vocabulary, `${words.split(' ').join('\n')}\n`);
    const notes = await notesOf(
      'fresh',
      { vocabulary, epochs: 1 },
      { start: { tower: at('tower') } },
    );
    expect(notes.join('\n')).toContain('13 words and pieces in the vocabulary, as given');
    const saved = readFileSync(at('fresh', 'last', 'vocab.txt'), 'utf8');
    expect(saved.trim().split('\n')).toEqual(words.split(' '));
    expect(basename(vocabulary)).toBe('vocab.txt');
  });
});
