/** Captions by worker threads: the same bits as without, and what happens when calls are stopped or threads end. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/base/errors.ts';
import { ThreadError } from '../../../src/base/threads/client.ts';
import { Captioner, type CaptionerOptions } from '../../../src/caption/captioner.ts';
import type { CaptionOptions } from '../../../src/caption/options.ts';
import type { Word } from '../../../src/caption/result.ts';
import { tiny, writeRichModel } from '../models.ts';

let folder = '';
let files: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-workers-'));
  await writeRichModel(join(folder, 'rich'));
  const names = (await readdir(join(tiny, 'images'))).sort().slice(0, 9);
  files = names.map((name) => join(tiny, 'images', name));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const decodings: CaptionOptions[] = [
  {},
  { words: true, prompt: 'a', bannedWords: ['dog'] },
  { num_beams: 4, num_return_sequences: 3, length_penalty: 2, words: true },
  { num_beams: 3, repetition_penalty: 1.8, no_repeat_ngram_size: 2, early_stopping: 'never' },
  { do_sample: true, seed: 7, top_p: 0.9, num_return_sequences: 2 },
  { do_sample: true, seed: 2, imageNumbers: [8, 7, 6, 5, 4, 3, 2, 1, 0], temperature: 1.5 },
  { do_sample: true, num_beams: 3, seed: 4 },
];

async function streamed(captioner: Captioner, file: string, options: CaptionOptions) {
  const words: Word[] = [];
  const stream = captioner.stream(file, options);
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { words, result: value };
    words.push(value);
  }
}

describe('captions by workers', () => {
  it.each<[string, CaptionerOptions]>([
    ['a model', { members: 1 }],
    ['members', {}],
    ['8-bit weights', { quantize: 'int8', members: 1 }],
    ['the training-only layers', { keepRefiner: true }],
    ['another size', { imageSize: 64, members: 1 }],
  ])('are those without, bit for bit: %s', async (_, given) => {
    const options = { ...given, threads: 1 };
    using alone = await Captioner.load(join(folder, 'rich'), options);
    using workers = await Captioner.load(join(folder, 'rich'), { ...options, workers: 2 });
    expect([alone.workers, workers.workers]).toEqual([0, 2]);
    expect(workers.config).toEqual(alone.config);
    expect(workers.defaults).toEqual(alone.defaults);
    // All at a time, so that batches of different options meet in both workers.
    const all = await Promise.all(decodings.map((decoding) => workers.captionAll(files, decoding)));
    for (const [i, decoding] of decodings.entries())
      expect(all[i]).toEqual(await alone.captionAll(files, decoding));
    let count = 0;
    for (const decoding of decodings.slice(0, 5)) {
      const one = await streamed(workers, files[2], { ...decoding, imageNumbers: [3] });
      expect(one).toEqual(await streamed(alone, files[2], { ...decoding, imageNumbers: [3] }));
      count += one.words.length;
    }
    expect(count).toBeGreaterThan(8);
  });

  it('prepare pictures in memory that the garbage collector counts, and that can be captioned twice', async () => {
    using workers = await Captioner.load(tiny, { threads: 1, workers: 1 });
    const prepared = await workers.prepare(files[0]);
    expect(prepared.pixels.buffer).toBeInstanceOf(ArrayBuffer);
    const before = prepared.pixels.slice();
    const [first] = await workers.captionPrepared([prepared]);
    const [, second] = await workers.captionPrepared([prepared, prepared]);
    expect(second).toEqual(first);
    expect(prepared.pixels).toEqual(before);
  });

  it('take paths, bytes and pixels, and leave them to the caller', async () => {
    using alone = await Captioner.load(tiny, { threads: 1 });
    using workers = await Captioner.load(tiny, { threads: 1, workers: 1 });
    const bytes = Buffer.from('....').fill(1);
    const pixels = new Uint8Array(5 * 7 * 3).fill(100);
    const image = { width: 5, height: 7, data: pixels };
    const expected = await alone.caption(image);
    expect(await workers.caption(image)).toEqual(expected);
    expect(await workers.caption(image)).toEqual(expected);
    await expect(workers.caption(bytes)).rejects.toThrow('image: the file is');
    expect(bytes).toEqual(Buffer.from([1, 1, 1, 1]));
    // Prepared here or there, once or twice used.
    const here = await alone.prepare(files[0]);
    const there = await workers.prepare(files[0]);
    expect(there).toEqual(here);
    const wanted = await alone.captionPrepared([here, there, here]);
    expect(await workers.captionPrepared([here, there, here])).toEqual(wanted);
    expect(await workers.captionPrepared([here, there, here])).toEqual(wanted);
  });

  it('say what is wrong, and what is odd, as without', async () => {
    using alone = await Captioner.load(tiny, { threads: 1 });
    using workers = await Captioner.load(tiny, { threads: 1, workers: 1 });
    const sentence = (work: Promise<unknown>) =>
      work.then(
        () => 'no error',
        (error: unknown) => String(error),
      );
    const odd = join(folder, 'png.jpg');
    await writeFile(odd, await import('node:fs/promises').then((fs) => fs.readFile(files[0])));
    for (const work of [
      (captioner: Captioner) => captioner.caption('nowhere.png'),
      (captioner: Captioner) => captioner.caption(files[0], { decode: { maxPixels: 10 } }),
      (captioner: Captioner) => captioner.caption(files[0], { num_beams: 0 }),
      (captioner: Captioner) => captioner.caption(files[0], { max_length: 99 }),
      (captioner: Captioner) => captioner.stream('nowhere.png').next(),
    ])
      expect(await sentence(work(workers))).toBe(await sentence(work(alone)));
    const warnings: string[] = [];
    await workers.caption(odd, { decode: { onWarning: (text) => warnings.push(text) } });
    expect(warnings).toEqual([`${odd}: named as JPEG but the content is PNG, read as that.`]);
  });

  it('say why a model cannot be opened, as without', async () => {
    for (const [model, options] of [
      ['test/nowhere/at-all', {}],
      [tiny, { keepRefiner: true }],
      [tiny, { members: 3 }],
      [tiny, { device: 'abacus' }],
    ] as const) {
      const caught = (workers: number) =>
        Captioner.load(model, { ...options, workers }).catch((error: unknown) => error);
      const [without, withOne] = [await caught(0), await caught(1)];
      expect(String(withOne)).toBe(String(without));
      expect(withOne instanceof UsageError).toBe(without instanceof UsageError);
    }
    for (const workers of [-1, 1.5])
      await expect(Captioner.load(tiny, { workers })).rejects.toThrow(`workers (${workers})`);
    await expect(Captioner.load(tiny, { workers: 2, device: 'webgpu' })).rejects.toThrow(
      "workers (2): the device 'webgpu' has one owner",
    );
  });
});

/** The threads that are started while `work` runs. */
async function threadsOf<T>(work: () => Promise<T>): Promise<{ result: T; threads: Worker[] }> {
  const threads: Worker[] = [];
  const listener = (thread: Worker): void => void threads.push(thread);
  process.on('worker', listener);
  try {
    return { result: await work(), threads };
  } finally {
    process.off('worker', listener);
  }
}

describe('a worker', () => {
  it('stops when it is told, and takes the next call', async () => {
    using captioner = await Captioner.load(tiny, { threads: 1, workers: 1 });
    const expected = await captioner.captionAll(files);
    const stop = new AbortController();
    const { signal } = stop;
    const long = captioner.captionAll(files, { signal, min_length: 40, max_length: 40 });
    const queued = captioner.captionAll(files, { signal });
    const other = captioner.captionAll(files);
    stop.abort(new Error('enough'));
    await expect(long).rejects.toThrow('enough');
    await expect(queued).rejects.toThrow('enough');
    expect(await other).toEqual(expected);
    // Half-way: after the first word.
    const words = captioner.stream(files[0]);
    for await (const { text } of words) {
      expect(text).toBe(expected[0].caption.split(' ')[0]);
      break;
    }
    expect(await captioner.captionAll(files)).toEqual(expected);
  });

  it('that ends is an error for its calls alone, and replaced', async () => {
    const { result, threads } = await threadsOf(() =>
      Captioner.load(tiny, { threads: 1, workers: 2 }),
    );
    using captioner = result;
    const expected = await captioner.captionAll(files);
    const prepared = await Promise.all(files.map((file) => captioner.prepare(file)));
    const calls = [1, 2, 3, 4].map(() => captioner.captionPrepared(prepared));
    // What no thread can read: it ends by an error, between two runs of the model.
    threads[0].postMessage(null);
    const settled = await Promise.allSettled(calls);
    const lost = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(lost.length).toBe(1);
    expect(lost[0]).toBeInstanceOf(ThreadError);
    expect(String(lost[0])).toContain('the inference thread failed: ');
    for (const one of settled) if (one.status === 'fulfilled') expect(one.value).toEqual(expected);
    const again = [1, 2, 3].map(() => captioner.captionAll(files));
    for (const one of await Promise.all(again)) expect(one).toEqual(expected);
  });

  it('is not what decodes: that thread is replaced as well', async () => {
    const { result, threads } = await threadsOf(() =>
      Captioner.load(tiny, { threads: 1, workers: 1 }),
    );
    using captioner = result;
    const expected = await captioner.caption(files[0]);
    expect(threads.length).toBe(2);
    const lost = captioner.prepare(files[0]).catch((error: unknown) => error);
    threads[1].postMessage(null);
    expect(await lost).toMatchObject({
      message: expect.stringContaining('the preparation thread failed: '),
    });
    expect(await captioner.caption(files[0])).toEqual(expected);
  });

  it('may be disposed of while it works', async () => {
    const captioner = await Captioner.load(tiny, { threads: 1, workers: 1 });
    const prepared = await captioner.prepare(files[0]);
    // None can be done before the disposal: this thread gives no other a turn in between.
    const calls = [
      captioner.caption(files[0]),
      captioner.caption(files[1]),
      captioner.captionPrepared([prepared]).then(([one]) => one),
    ];
    captioner[Symbol.dispose]();
    captioner[Symbol.dispose]();
    for (const call of calls) await expect(call).rejects.toThrow('disposed');
    await expect(captioner.caption(files[0])).rejects.toThrow('disposed');
    await expect(captioner.captionPrepared([prepared])).rejects.toThrow('disposed');
  });

  it('shares the thread that decodes with other captioners', async () => {
    const { result, threads } = await threadsOf(async () => [
      await Captioner.load(tiny, { threads: 1, workers: 1 }),
      await Captioner.load(tiny, { threads: 1, workers: 1 }),
    ]);
    expect(threads.length).toBe(3);
    const [a, b] = result;
    const expected = await a.caption(files[0]);
    a[Symbol.dispose]();
    expect(await b.caption(files[0])).toEqual(expected);
    b[Symbol.dispose]();
  });
});
