/** Steps from shards: each picture once, the same again, evenly over ranks, whatever is wrong in a shard. */
import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createPreprocessor } from '../../../src/data/images/preprocess.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import type { StepPart } from '../../../src/train/loop/steps.ts';
import type { StreamEntry } from '../../../src/train/stream/entries.ts';
import { decodedStream, type StreamImages } from '../../../src/train/stream/images.ts';
import { type StreamInput, streamSteps } from '../../../src/train/stream/source.ts';
import { type Files, jpeg, newFolder, parquetOf, tarOf } from '../../data/shards/shards.ts';
import { startStore } from '../../data/shards/store/s3-server.ts';

let pictures: Buffer[] = [];
let shards: string[] = [];

/** Pictures of these numbers with a caption each, as a tar. */
function tarOfNumbers(path: string, numbers: readonly number[], changes: Files = {}): string {
  const files: Record<string, string | Uint8Array> = {};
  for (const number of numbers) {
    files[`p${number}.jpg`] = pictures[number];
    files[`p${number}.txt`] = `picture ${number}${' and more'.repeat(number % 3)}\n`;
  }
  return tarOf(path, { ...files, ...changes });
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

beforeAll(async () => {
  pictures = await Promise.all(range(0, 24).map((number) => jpeg(number)));
  const folder = newFolder();
  shards = range(0, 4).map((i) =>
    tarOfNumbers(join(folder, `train-${i}.tar`), range(6 * i, 6 * i + 6)),
  );
});

/** A list of what steps were made of, instead of pixels. */
function listed() {
  const read: StreamEntry[][] = [];
  const forgotten: string[] = [];
  const images: StreamImages = {
    kind: 'pixels',
    async read(entries) {
      read.push([...entries]);
      const fed = { images: tensor('f32', [entries.length]), concepts: {} };
      return { fed, places: entries.map((_, place) => place) };
    },
    ready: async () => undefined,
    forget: async (shard) => {
      forgotten.push(shard);
    },
  };
  const captions = () => read.map((step) => step.map((entry) => entry.captions[0]));
  return { images, captions, forgotten };
}

const config = {
  ...{ seed: 1, batchSize: 4, microBatch: null, captionsPerImage: null },
  ...{ maxWords: 22, maxSkippedSteps: 3 },
};

function input(changes: Partial<StreamInput> & { images: StreamImages }): StreamInput {
  return {
    ...{ shards, epochImages: 24, config, buffer: 8, peers: { rank: 0, size: 1 }, padId: 0 },
    entries: { onFault: (_, sentence) => expect.unreachable(sentence) },
    encode: (caption) => ({
      ids: caption.split(' ').map((_, i) => i + 1),
      prompt: 0,
      words: caption.split(' ').length,
    }),
    ...changes,
  };
}

async function stepsOf(
  given: StreamInput,
  wanted: Partial<{ epoch: number; done: number; most: number }> = {},
): Promise<StepPart[][]> {
  const found: StepPart[][] = [];
  const { epoch = 1, done = 0, most = 99 } = wanted;
  for await (const step of streamSteps(given).steps({ epoch, done, most, first: done }))
    found.push(step);
  return found;
}

/** First captions of each step's pictures. */
async function shown(
  changes: Partial<StreamInput> = {},
  wanted: Parameters<typeof stepsOf>[1] = {},
): Promise<(string | undefined)[][]> {
  const { images, captions } = listed();
  await stepsOf(input({ images, ...changes }), wanted);
  return captions();
}

const names = (steps: readonly (string | undefined)[][]) =>
  steps
    .flat()
    .map((caption) => Number(caption?.split(' ')[1]))
    .sort((a, b) => a - b);

describe('steps of a stream', () => {
  it('show every picture once an epoch, in batches of one size', async () => {
    const steps = await shown();
    expect(steps.map(({ length }) => length)).toEqual([4, 4, 4, 4, 4, 4]);
    expect(names(steps)).toEqual(range(0, 24));
  });

  it('are the same again, and others in another epoch and with another seed', async () => {
    const first = await shown();
    expect(await shown()).toEqual(first);
    const others = [
      await shown({}, { epoch: 2 }),
      await shown({ config: { ...config, seed: 2 } }),
      await shown({ buffer: 2 }),
    ];
    for (const other of others) {
      expect(other).not.toEqual(first);
      expect(names(other)).toEqual(range(0, 24));
    }
  });

  it('do not depend on what was asked for before, and read no picture that is passed over', async () => {
    const whole = await shown();
    for (const done of [1, 3, 5]) {
      const { images, captions } = listed();
      await stepsOf(input({ images }), { done });
      expect(captions()).toEqual(whole.slice(done));
    }
    expect(await shown({}, { done: 2, most: 2 })).toEqual(whole.slice(2, 4));
    expect(await shown({}, { done: 6 })).toEqual([]);
  });

  it('are as many on two ranks, which share no picture', async () => {
    const ranks = await Promise.all([0, 1].map((rank) => shown({ peers: { rank, size: 2 } })));
    expect(ranks.map(({ length }) => length)).toEqual([3, 3]);
    expect(names(ranks.flat())).toEqual(range(0, 24));
  });

  it("begin a rank's shards anew where they are fewer, and leave the rest of those that are more", async () => {
    const folder = newFolder();
    const uneven = [
      tarOfNumbers(join(folder, 'a.tar'), range(0, 16)),
      tarOfNumbers(join(folder, 'b.tar'), range(16, 22)),
    ];
    const changes = { shards: uneven, epochImages: 22, config: { ...config, batchSize: 2 } };
    const ranks = await Promise.all(
      [0, 1].map((rank) => shown({ ...changes, peers: { rank, size: 2 } })),
    );
    expect(ranks.map(({ length }) => length)).toEqual([5, 5]);
    const [long, short] = ranks.map(names).sort((a, b) => a[0] - b[0]);
    expect(new Set(long).size).toBe(10);
    expect(Math.max(...long)).toBeLessThan(16);
    // Six pictures, each of which is shown before one comes again.
    expect([...new Set(short)]).toEqual(range(16, 22));
    expect(short).toHaveLength(10);
    expect(Math.max(...range(16, 22).map((n) => short.filter((m) => m === n).length))).toBe(2);
  });

  it('show so many captions of a picture as are wanted, others in the next epoch', async () => {
    const captions = range(0, 9).map((i) => `caption ${i}`);
    const shard = tarOf(join(newFolder(), 'x.tar'), {
      'a.jpg': pictures[0],
      'a.txt': captions.join('\n'),
    });
    const of = async (epoch: number) => {
      const { images } = listed();
      const given: string[] = [];
      const changes = {
        shards: [shard],
        epochImages: 1,
        config: { ...config, batchSize: 1, captionsPerImage: 2 },
        encode: (caption: string) => {
          given.push(caption);
          return { ids: [1, 2], prompt: 0, words: 2 };
        },
      };
      await stepsOf(input({ images, ...changes }), { epoch });
      return given;
    };
    const [first, again, second] = [await of(1), await of(1), await of(2)];
    expect(first).toHaveLength(2);
    expect(again).toEqual(first);
    expect(second).not.toEqual(first);
    for (const caption of [...first, ...second]) expect(captions).toContain(caption);
  });

  it('let a shard go when none of its pictures waits', async () => {
    const { images, forgotten } = listed();
    await stepsOf(input({ images }));
    expect([...forgotten].sort()).toEqual(shards);
    // Stopped half-way, nothing stays open.
    const stopped = listed();
    for await (const _ of streamSteps(input({ images: stopped.images })).steps({
      ...{ epoch: 1, done: 0, first: 0, most: 9 },
    }))
      break;
    expect(new Set(stopped.forgotten).size).toBe(stopped.forgotten.length);
    expect(stopped.forgotten.length).toBeGreaterThan(0);
  });

  it('of tables are of the same pictures, whose bytes are at hand', async () => {
    const rows = range(0, 24).map((i) => ({ bytes: pictures[i], path: `p${i}.jpg` }));
    const texts = { caption: range(0, 24).map((i) => `picture ${i}`) };
    const table = parquetOf(join(newFolder(), 'train.parquet'), rows, texts);
    const { images, captions } = listed();
    const bytes: Uint8Array[] = [];
    const kept: StreamImages = {
      ...images,
      async read(entries, draw) {
        for (const entry of entries) bytes.push(await entry.read());
        return images.read(entries, draw);
      },
    };
    await stepsOf(input({ images: kept, shards: [table] }));
    expect(names(captions())).toEqual(range(0, 24));
    for (const [i, caption] of captions().flat().entries()) {
      expect(Buffer.from(bytes[i])).toEqual(pictures[Number(caption.split(' ')[1])]);
      expect(bytes[i].byteLength).toBe(bytes[i].buffer.byteLength);
    }
  });
});

describe('shards of a store', () => {
  it('are fetched as they are needed, and make room for the next', async () => {
    const store = await startStore(true);
    const cache = newFolder();
    vi.stubEnv('REFCAP_CACHE', cache);
    vi.stubEnv('REFCAP_CACHE_BYTES', '1');
    try {
      const addresses = range(0, 24).map((i) => {
        const path = tarOfNumbers(join(newFolder(), 'x.tar'), [i]);
        store.objects.set(`${i}.tar`, readFileSync(path));
        return `${store.url}/${i}.tar`;
      });
      const copies = () =>
        readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) =>
          name.endsWith('.tar'),
        ).length;
      const { images, captions } = listed();
      const one = { ...config, batchSize: 1 };
      const given = input({ images, shards: addresses, config: one, buffer: 2 });
      let most = 0;
      for await (const _ of streamSteps(given).steps({ epoch: 1, done: 0, first: 0, most: 99 })) {
        if (captions().length === 1)
          expect(store.asked.filter((line) => line.startsWith('GET')).length).toBeLessThan(24);
        most = Math.max(most, copies());
      }
      expect(names(captions())).toEqual(range(0, 24));
      // Sixteen pictures of a pool, two of the buffer, and the next shards.
      expect(most).toBeLessThanOrEqual(20);
      expect(copies()).toBeLessThan(20);
    } finally {
      vi.unstubAllEnvs();
      await store.close();
    }
  });
});

describe('what is wrong in a shard', () => {
  const preprocessor = createPreprocessor({
    ...{ width: 8, height: 8, filter: 'bicubic', rescale: 1 / 255 },
    ...{ mean: [0, 0, 0], std: [1, 1, 1] },
  });

  function decoded(paths: readonly string[], changes: Partial<StreamInput> = {}) {
    const faults: string[] = [];
    const onFault = (_: string, sentence: string) => faults.push(sentence);
    const augmentation = { scale: [0.5, 1], ratio: [0.75, 1.33], flip: true } as const;
    const images = decodedStream(preprocessor, augmentation, onFault);
    const given = { images, shards: paths, entries: { onFault }, ...changes };
    return { given: input(given), faults };
  }

  it('drops a damaged picture and moves no other', async () => {
    const folder = newFolder();
    const bad = { 'p3.jpg': pictures[3].subarray(0, 40) };
    const whole = tarOfNumbers(join(folder, 'whole.tar'), range(0, 12));
    const hurt = tarOfNumbers(join(folder, 'hurt.tar'), range(0, 12), bad);
    const fine = decoded([whole], { epochImages: 12 });
    const dropped = decoded([hurt], { epochImages: 12 });
    const [before, after] = [await stepsOf(fine.given), await stepsOf(dropped.given)];
    expect(dropped.faults).toEqual([expect.stringMatching(/^tar:\/\/p3\.jpg::.*hurt\.tar: /)]);
    expect(after.map(([{ places }]) => places.length).sort()).toEqual([3, 4, 4]);
    for (const [i, [{ places, fed, text, seed }]] of after.entries()) {
      const [other] = before[i];
      expect(seed).toBe(other.seed);
      expect(text.captions).toBe(places.length);
      const size = 3 * 8 * 8;
      const pixels = (part: StepPart, slot: number) =>
        Array.from(part.fed.images.data.subarray(slot * size, (slot + 1) * size), Number);
      for (const [slot, place] of places.entries())
        expect(pixels({ ...other, fed }, slot)).toEqual(pixels(other, place));
    }
  });

  it('tells where a tar is cut off, and goes on with the rest', async () => {
    const folder = newFolder();
    const cut = tarOfNumbers(join(folder, 'cut.tar'), range(0, 6));
    truncateSync(cut, 5 * 1024);
    const { images, captions } = listed();
    const faults: string[] = [];
    const onFault = (_: string, sentence: string) => faults.push(sentence);
    const other = tarOfNumbers(join(folder, 'other.tar'), range(6, 12));
    await stepsOf(
      input({ images, shards: [cut, other], epochImages: 8, buffer: 2, entries: { onFault } }),
    );
    expect(faults).toContainEqual(
      expect.stringMatching(/cut\.tar: the tar is cut off behind p\d\.\w+; fetch or write/),
    );
    const numbers = names(captions());
    expect(numbers).toEqual(expect.arrayContaining(range(6, 12)));
    expect(numbers).toHaveLength(8);
  });

  it('passes over pictures of other splits, and tells those without a caption', async () => {
    const shard = tarOf(join(newFolder(), 'x.tar'), {
      'a.jpg': pictures[0],
      'a.json': JSON.stringify({ caption: 'picture 0', split: 'dev' }),
      'b.jpg': pictures[1],
      'b.json': JSON.stringify({ caption: 'picture 1', split: 'train' }),
      'c.jpg': pictures[2],
    });
    const { images, captions } = listed();
    const faults: string[] = [];
    const entries = { onFault: (_: string, sentence: string) => faults.push(sentence) };
    const one = { ...config, batchSize: 1 };
    await stepsOf(input({ images, shards: [shard], epochImages: 1, config: one, entries }));
    expect(captions()).toEqual([['picture 1']]);
    expect(faults).toEqual([`tar://c.jpg::${shard}: the picture has no caption.`]);
  });

  it('stops where a shard is not there, so that the order stays what it is', async () => {
    const gone = join(newFolder(), 'gone.tar');
    const { images } = listed();
    await expect(stepsOf(input({ images, shards: [...shards, gone] }))).rejects.toThrow(
      `${gone}: there is no such shard`,
    );
  });

  it('stops where nothing can be read any more', async () => {
    const bad = Object.fromEntries(range(0, 6).map((i) => [`p${i}.jpg`, 'no picture']));
    const shard = tarOfNumbers(join(newFolder(), 'bad.tar'), range(0, 6), bad);
    const one = { config: { ...config, batchSize: 1 }, epochImages: 6 };
    await expect(stepsOf(decoded([shard], one).given)).rejects.toThrow(
      /^3 steps in a row had no picture that can be read, the last with tar:\/\/p\d\.jpg::/,
    );
    const without = tarOf(join(newFolder(), 'without.tar'), { 'a.jpg': pictures[0] });
    await expect(stepsOf(decoded([without], one).given)).rejects.toThrow(
      `${without}: the shard has no picture with a caption to train on.`,
    );
  });

  it('says how many pictures and shards are too few', () => {
    const { images } = listed();
    const refuse = (changes: Partial<StreamInput>) => () =>
      streamSteps(input({ images, ...changes }));
    expect(refuse({ epochImages: 3 })).toThrow(
      'batchSize (4): a step takes 4 pictures, but an epoch has 3; lower it.',
    );
    expect(refuse({ peers: { rank: 0, size: 5 }, epochImages: 99 })).toThrow(
      `${shards[0]}: 5 ranks need a train shard each, and there are 4`,
    );
  });
});
