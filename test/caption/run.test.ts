/** Many pictures in batches: order, failures, what is written when, with and without workers. */
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../src/caption/captioner.ts';
import type { CaptionOptions } from '../../src/caption/options.ts';
import type { CaptionRow } from '../../src/caption/output/formats.ts';
import type { CaptionSink } from '../../src/caption/output/output.ts';
import { captionRun, type RunOutcome } from '../../src/caption/run.ts';
import { listInputs } from '../../src/caption/sources/inputs.ts';
import { tiny, writeConfidence } from './models.ts';

let folder = '';
let files: string[];
const captioners: Captioner[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-run-'));
  const names = (await readdir(join(tiny, 'images'))).sort().slice(0, 11);
  files = names.map((name) => join(tiny, 'images', name));
  for (const workers of [0, 1, 2])
    captioners.push(await Captioner.load(tiny, { threads: 1, workers }));
});
afterAll(async () => {
  for (const captioner of captioners) captioner[Symbol.dispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Keeps what it is given; has the pictures of `there` already. */
function memory(there: readonly string[] = []) {
  const batches: CaptionRow[][] = [];
  const sink: CaptionSink = {
    has: async (file) => there.includes(file),
    write: async (rows) => void batches.push([...rows]),
    finish: async () => undefined,
  };
  return { sink, batches };
}

interface Changes {
  readonly options?: CaptionOptions;
  readonly batchSize?: number;
  readonly failFast?: boolean;
  readonly signal?: AbortSignal;
  readonly there?: readonly string[];
  readonly onDone?: (outcome: RunOutcome) => void;
}

async function captioned(workers: number, inputs: readonly string[], changes: Changes = {}) {
  const { there, ...run } = changes;
  const { sink, batches } = memory(there);
  const settings = { options: {}, batchSize: 4, failFast: false, ...run };
  const counts = await captionRun(captioners[workers], listInputs(inputs), sink, settings);
  return { counts, batches };
}
const withoutTime = (batches: CaptionRow[][]) =>
  batches.map((rows) => rows.map((row) => ({ ...row, ms: 0 })));

describe('a run', () => {
  it('writes the same rows in the same batches, however many workers there are', async () => {
    const options: CaptionOptions = { do_sample: true, seed: 5, num_return_sequences: 2 };
    const alone = await captioned(0, files, { options });
    expect(alone.counts).toEqual({ captioned: 11, doubtful: 0, skipped: 0, failed: 0 });
    expect(alone.batches.map((rows) => rows.length)).toEqual([4, 4, 3]);
    expect(alone.batches.flat().map(({ file }) => file)).toEqual(files);
    for (const workers of [1, 2]) {
      const { batches } = await captioned(workers, files, { options });
      expect(withoutTime(batches)).toEqual(withoutTime(alone.batches));
    }
  });

  it.each([0, 2])('goes past what fails and what is there, with %i workers', async (workers) => {
    const broken = join(folder, 'broken.png');
    await writeFile(broken, 'no picture');
    const inputs = [files[0], broken, files[1], files[2], files[3]];
    const outcomes: string[] = [];
    const { counts, batches } = await captioned(workers, inputs, {
      batchSize: 2,
      there: [files[1]],
      onDone: ({ kind, name }) => outcomes.push(`${kind} ${name}`),
    });
    expect(counts).toEqual({ captioned: 3, doubtful: 0, skipped: 1, failed: 1 });
    expect(batches.flat().map(({ file }) => file)).toEqual([files[0], files[2], files[3]]);
    expect(outcomes.length).toBe(5);
    expect(outcomes).toContain(`failed ${broken}`);
  });

  it.each([0, 2])('keeps what came before the first failure, with %i workers', async (workers) => {
    const { sink, batches } = memory();
    const inputs = listInputs([...files.slice(0, 5), 'nowhere.png', files[6]]);
    const run = { options: {}, batchSize: 2, failFast: true };
    await expect(captionRun(captioners[workers], inputs, sink, run)).rejects.toThrow('nowhere.png');
    expect(batches.flat().map(({ file }) => file)).toEqual(files.slice(0, 5));
  });

  it.each([0, 1, 2])(
    'ends with the reason when it is stopped, with %i workers',
    async (workers) => {
      const stop = new AbortController();
      const { sink, batches } = memory();
      const work = captionRun(captioners[workers], listInputs(files), sink, {
        options: {},
        batchSize: 1,
        failFast: false,
        signal: stop.signal,
        onDone: () => stop.abort(new Error('enough')),
      });
      await expect(work).rejects.toThrow('enough');
      expect(batches.length).toBeGreaterThan(0);
      expect(batches.length).toBeLessThan(4);
      expect(batches.flat().map(({ file }) => file)).toEqual(files.slice(0, batches.length));
    },
  );

  it('leaves doubtful captions out, and tells of them', async () => {
    await cp(tiny, join(folder, 'calibrated'), { recursive: true });
    await writeConfidence(join(folder, 'calibrated'), {
      weights: { noun: 1, caption: 5 },
      shift: 1,
    });
    using captioner = await Captioner.load(join(folder, 'calibrated'), { threads: 1 });
    const run = async (minConfidence: number) => {
      const { sink, batches } = memory();
      const doubts: RunOutcome[] = [];
      const counts = await captionRun(captioner, listInputs(files), sink, {
        ...{ options: {}, batchSize: 4, failFast: false, minConfidence },
        onDone: (outcome) => outcome.kind === 'doubtful' && doubts.push(outcome),
      });
      return { counts, rows: batches.flat(), doubts };
    };
    const all = await run(0);
    expect(all.counts).toEqual({ captioned: 11, doubtful: 0, skipped: 0, failed: 0 });
    const confidences = all.rows.map(({ captions: [best] }) => best.confidence ?? Number.NaN);
    const limit = [...confidences].sort((a, b) => a - b)[5];
    const some = await run(limit);
    const kept = all.rows.filter((_, i) => confidences[i] >= limit);
    expect(kept.length).toBeGreaterThan(0);
    expect(withoutTime([some.rows])).toEqual(withoutTime([kept]));
    expect(some.counts).toMatchObject({ captioned: kept.length, doubtful: 11 - kept.length });
    expect(some.doubts).toEqual(
      all.rows.flatMap(({ file, caption }, i) =>
        confidences[i] >= limit
          ? []
          : [{ kind: 'doubtful', name: file, caption, confidence: confidences[i] }],
      ),
    );
    expect((await run(1)).rows).toEqual([]);
  });

  it('hands a failure of the sink on', async () => {
    for (const captioner of captioners) {
      const { sink } = memory();
      const full = { ...sink, write: async () => Promise.reject(new Error('disk full')) };
      const run = { options: {}, batchSize: 1, failFast: false };
      const work = captionRun(captioner, listInputs(files), full, run);
      await expect(work).rejects.toThrow('disk full');
    }
  });
});

describe('warnings of Node', () => {
  const warnings: string[] = [];
  const listener = (warning: Error): void => void warnings.push(warning.message);
  afterEach(() => void process.off('warning', listener));

  it('are not caused by many pictures under one signal', async () => {
    process.on('warning', listener);
    await captioned(1, files, { batchSize: 11, signal: new AbortController().signal });
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
  });
});
