/** An ablation end to end on a tiny tower and made-up pictures. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AblateOptions, ablate } from '../../src/ablate/ablate.ts';
import { type AblationFlags, resolveAblation } from '../../src/ablate/settings.ts';
import { compareEvaluations } from '../../src/compare/compare.ts';
import { writeTinyPictures, writeTinyTower } from '../train/tiny.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-ablate-'));
  await writeTinyTower(join(folder, 'tower'));
  await writeTinyPictures(join(folder, 'pictures'));
  // Four pictures to learn from, four to measure with.
  const rows = ['red', 'green', 'blue', 'yellow'].flatMap((colour, i) =>
    ['square', 'circle'].flatMap((shape) => {
      const [name, split] = [`${colour}-${shape}.png`, i < 2 ? 'train' : 'dev'];
      return [
        `${name},a ${colour} ${shape} .,${split}`,
        `${name},the ${shape} is ${colour},${split}`,
      ];
    }),
  );
  await writeFile(
    join(folder, 'pictures/captions.csv'),
    ['file,caption,split', ...rows, ''].join('\n'),
  );
  await run('whole', 2);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const settings = {
  epochs: 3,
  batchSize: 2,
  width: 32,
  heads: 4,
  layers: 1,
  minWordCount: 1,
  warmupSteps: 1,
  learningRate: 0.02,
  savedBeams: 1,
  refinement: { heads: 4 },
  alignment: { heads: 4 },
};

/** Runs plain and refcap. */
function run(
  output: string,
  seeds: number,
  more: Partial<AblateOptions> = {},
  over: { settings?: object; flags?: AblationFlags } = {},
) {
  const place = { data: join(folder, 'pictures'), tower: join(folder, 'tower') };
  const file = { ...settings, ...place, seeds, cache: join(folder, 'features'), ...over.settings };
  const flags = { output: join(folder, output), variants: ['plain', 'refcap'] };
  return ablate({
    request: resolveAblation(file, { ...flags, ...over.flags }),
    threads: 1,
    bootstrap: 50,
    bootstrapSeed: 1,
    onNote: () => undefined,
    onFeatures: () => undefined,
    onEvent: () => undefined,
    onCaptioned: () => undefined,
    onRun: () => undefined,
    ...more,
  });
}

/** The names of the runs that had a step or an evaluation to do. */
async function work(output: string, seeds: number): Promise<string[]> {
  const done = new Set<string>();
  let at = '';
  await run(output, seeds, {
    onRun: ({ variant, seed }) => {
      at = `${variant} ${seed}`;
    },
    onEvent: () => done.add(`${at} trained`),
    onCaptioned: () => done.add(`${at} captioned`),
  });
  return [...done];
}

const text = (...path: string[]) => readFile(join(folder, ...path), 'utf8');
const json = async (...path: string[]) => JSON.parse(await text(...path));

/** Everything that an ablation found but the time it took and where it lies. */
async function found(output: string) {
  const names = (await readdir(join(folder, output, 'results'))).sort();
  const results = await Promise.all(names.map((name) => json(output, 'results', name)));
  const { rows } = await json(output, 'ablation.json');
  return JSON.parse(
    JSON.stringify({ names, results, rows }, (key, value) =>
      key === 'trainingMinutes' ? undefined : value,
    ),
  );
}

describe('an ablation', () => {
  it('leaves models, evaluations, results without captions, and tables', async () => {
    expect((await readdir(join(folder, 'whole'))).sort()).toEqual([
      'ablation-config.json',
      'ablation.json',
      'ablation.md',
      'results',
      'runs',
    ]);
    expect((await readdir(join(folder, 'whole/runs/refcap/seed-2'))).sort()).toEqual([
      'best',
      'config.json',
      'dev',
      'dev-kept',
      'last',
      'metrics.jsonl',
      'minutes.json',
      'report.html',
    ]);
    expect(await readdir(join(folder, 'whole/runs/plain/seed-1'))).not.toContain('dev-kept');
    const result = await text('whole/results/refcap-seed-2.json');
    for (const word of ['square', '.png', 'the circle']) expect(result).not.toContain(word);
    const { rows } = await json('whole/ablation.json');
    expect(rows.map(({ variant, kept, seeds }: never) => [variant, kept, seeds])).toEqual([
      ['plain', false, [1, 2]],
      ['refcap', false, [1, 2]],
      ['refcap', true, [1, 2]],
    ]);
    const markdown = await text('whole/ablation.md');
    expect(markdown).toMatch(/^\| refcap, kept \| 2 \| \d\.\d{3} ± \d\.\d{3} \|/m);
  });

  it('has the scores of the evaluations and the losses of the best epochs', async () => {
    const { rows } = await json('whole/ablation.json');
    const evaluations = await Promise.all(
      [1, 2].map((seed) => json(`whole/runs/refcap/seed-${seed}/dev-kept/results.json`)),
    );
    const [a, b] = evaluations.map(({ metrics }) => metrics.CIDEr);
    expect(rows[2].metrics.CIDEr.mean).toBeCloseTo((a + b) / 2, 12);
    expect(rows[2].metrics.CIDEr.deviation).toBeCloseTo(Math.abs(a - b) / Math.SQRT2, 12);
    const losses = await Promise.all(
      [1, 2].map(async (seed) => {
        const lines = (await text(`whole/runs/refcap/seed-${seed}/metrics.jsonl`)).trim();
        const all = lines.split('\n').map((line) => JSON.parse(line));
        const base = Math.min(...all.flatMap(({ losses: of }) => of?.base ?? []));
        return all.find(({ losses: of }) => of?.base === base).losses;
      }),
    );
    expect(rows[1].nats.mean).toBeCloseTo((losses[0].base + losses[1].base) / 2, 12);
    expect(rows[2].nats.mean).toBeCloseTo((losses[0].refined + losses[1].refined) / 2, 12);
  });

  it('compares as refcap compare does, where a corpus score is the mean over images', async () => {
    const { rows } = await json('whole/ablation.json');
    const pairs = await Promise.all(
      [1, 2].map((seed) =>
        compareEvaluations({
          folders: [
            join(folder, `whole/runs/plain/seed-${seed}/dev`),
            join(folder, `whole/runs/refcap/seed-${seed}/dev`),
          ],
          bootstrap: 10,
          seed: 1,
        }),
      ),
    );
    const of = (name: string) =>
      pairs
        .map(({ reports }) => reports[1].comparison?.differences[name]?.difference ?? Number.NaN)
        .reduce((sum, value) => sum + value / 2, 0);
    const { metrics } = rows[1].comparison;
    expect(metrics.CIDEr.difference).toBeCloseTo(of('CIDEr'), 12);
    expect(metrics.ROUGE_L.difference).toBeCloseTo(of('ROUGE_L'), 12);
    // METEOR's corpus score is no mean: the difference is that of the means over images.
    const mean = async (variant: string) => {
      const lines = [1, 2].map((seed) =>
        text(`whole/runs/${variant}/seed-${seed}/dev/captions.jsonl`),
      );
      const all = (await Promise.all(lines)).flatMap((one) => one.trim().split('\n'));
      const scores: number[] = all.map((line) => JSON.parse(line).scores.METEOR);
      return scores.reduce((sum, value) => sum + value, 0) / scores.length;
    };
    expect(metrics.METEOR.difference).toBeCloseTo(
      (await mean('refcap')) - (await mean('plain')),
      12,
    );
    expect(metrics.CIDEr.low).toBeLessThanOrEqual(metrics.CIDEr.difference);
    expect(metrics.CIDEr.high).toBeGreaterThanOrEqual(metrics.CIDEr.difference);
    // Otherwise the test would compare nothing with nothing.
    expect(rows[1].metrics.CIDEr).not.toEqual(rows[0].metrics.CIDEr);
    expect(metrics.ROUGE_L.difference).not.toBe(0);
  });

  it('goes on after interruptions to what an uninterrupted one finds', async () => {
    const stopAt = async (
      when: (state: { at: string; step: number; captioned: number }) => boolean,
    ) => {
      const stop = new AbortController();
      const state = { at: '', step: 0, captioned: 0 };
      const check = () => {
        if (when(state)) stop.abort();
      };
      const stopped = run('parts', 2, {
        signal: stop.signal,
        onRun: ({ variant, seed }) => {
          Object.assign(state, { at: `${variant} ${seed}`, step: 0, captioned: 0 });
          check();
        },
        onEvent: (event) => {
          state.step = event.step;
          check();
        },
        onCaptioned: () => {
          state.captioned += 1;
          check();
        },
      });
      await expect(stopped).rejects.toThrow('abort');
    };
    await stopAt(({ at, step }) => at === 'plain 1' && step === 3);
    await stopAt(({ at, captioned }) => at === 'plain 1' && captioned > 0);
    await stopAt(({ at, step }) => at === 'refcap 1' && step === 5);
    // Between the two evaluations of a model: the first is kept.
    await stopAt(({ at, captioned }) => at === 'refcap 1' && captioned > 1);
    expect(await readdir(join(folder, 'parts/runs/refcap/seed-1'))).toContain('dev');
    expect((await json('parts/ablation.json')).rows).toHaveLength(1);
    await stopAt(({ at }) => at === 'plain 2');
    await run('parts', 2);
    expect(await found('parts')).toEqual(await found('whole'));
  });

  it('does nothing twice, and adds the seeds and variants that are new', async () => {
    // What a desktop leaves in a folder that it shows is nobody's work.
    await mkdir(join(folder, 'grown'));
    await writeFile(join(folder, 'grown/.DS_Store'), '');
    await run('grown', 1);
    expect(await work('grown', 1)).toEqual([]);
    expect(await work('grown', 2)).toEqual([
      'plain 2 trained',
      'plain 2 captioned',
      'refcap 2 trained',
      'refcap 2 captioned',
    ]);
    expect(await found('grown')).toEqual(await found('whole'));
    const more = { flags: { variants: ['alignment'] } };
    const { rows } = await run('grown', 1, {}, more);
    expect(rows.map(({ variant, kept, seeds }) => [variant, kept, seeds])).toEqual([
      ['plain', false, [1, 2]],
      ['alignment', false, [1]],
      ['alignment', true, [1]],
      ['refcap', false, [1, 2]],
      ['refcap', true, [1, 2]],
    ]);
    expect(rows[1].comparison?.seeds).toEqual([1]);
    expect(rows[1].nats?.deviation).toBe(undefined);
  });

  it('has a row of the model that it starts from, as it is', async () => {
    const model = join(folder, 'whole/runs/refcap/seed-1/best');
    const over = {
      settings: { epochs: 1, tower: undefined },
      flags: { model, variants: ['plain'] },
    };
    const started = () => run('started', 2, {}, over);
    const ablation = await started();
    const [start, plain] = ablation.rows;
    expect([start.variant, start.seeds, start.nats]).toEqual(['as it started', [], undefined]);
    // The same model, evaluated as a run of its own.
    const own = await json('whole/results/refcap-seed-1.json');
    expect(start.metrics.CIDEr).toEqual({ mean: own.base.metrics.CIDEr });
    expect(start.singleReference?.METEOR).toEqual({ mean: own.base.singleReference.METEOR });
    const { seeds, metrics } = start.comparison ?? { seeds: [], metrics: undefined };
    expect(seeds).toEqual([1, 2]);
    expect(metrics?.CIDEr.difference).toBeCloseTo(
      start.metrics.CIDEr.mean - plain.metrics.CIDEr.mean,
      12,
    );
    const markdown = await text('started/ablation.md');
    expect(markdown.match(/^\| as it started \| {2}\|/gm)).toHaveLength(2);
    expect(markdown).toMatch(/^\| as it started \| 2 \| {2}\| [+-]/m);
    const result = await json('started/results/start.json');
    expect(result).toMatchObject({ data: { split: 'dev', images: 4 }, base: own.base });
    await rm(join(folder, 'started/start'), { recursive: true });
    expect((await started()).rows).toEqual(ablation.rows);
  });

  it('has the means over single references beside those of all', async () => {
    const { rows } = await json('whole/ablation.json');
    const [a, b] = await Promise.all(
      [1, 2].map((seed) => json(`whole/runs/plain/seed-${seed}/dev/results.json`)),
    );
    const mean = (a.singleReference.CIDEr + b.singleReference.CIDEr) / 2;
    expect(rows[0].singleReference.CIDEr.mean).toBeCloseTo(mean, 12);
    expect(rows[0].singleReference.CIDEr.mean).not.toBe(rows[0].metrics.CIDEr.mean);
    expect(await text('whole/ablation.md')).toContain('against one reference at a time');
  });

  it('refuses other settings than before, listing them, and another folder', async () => {
    await expect(run('whole', 2, {}, { settings: { dropout: 0.3 } })).rejects.toThrow(
      /whole: the ablation was made otherwise: dropout: 0\.15 before, 0\.3 now\. Use/,
    );
    const weight = { settings: { distillationWeight: 2 } };
    await expect(run('whole', 2, {}, weight)).rejects.toThrow(
      'distillationWeight (refinement, alignment, refcap-own, refcap): 1 before, 2 now',
    );
    await expect(run('whole', 2, {}, { flags: { split: 'train' } })).rejects.toThrow(
      'split: "dev" before, "train" now',
    );
    const started = { flags: { model: join(folder, 'whole/runs/plain/seed-1/best') } };
    await expect(run('whole', 2, {}, started)).rejects.toThrow(
      /start\.tower: .* before, nothing now/,
    );
    await expect(run('pictures', 1)).rejects.toThrow(/holds .* and is not an ablation's/);
    await expect(run('pictures/captions.csv', 1)).rejects.toThrow('this is a file');
    await expect(run('whole', 1, {}, { flags: { split: 'test' } })).rejects.toThrow(
      'the test split has no image',
    );
  });

  it('goes on with settings saved before there was a setting', async () => {
    const path = join(folder, 'grown/ablation-config.json');
    const config = JSON.parse(await readFile(path, 'utf8'));
    for (const name of ['plain', 'refcap']) delete config.variants[name].lora;
    await writeFile(path, JSON.stringify(config));
    expect(await work('grown', 2)).toEqual([]);
  });

  it('lets one ablation at a time into a folder', async () => {
    let second: Promise<unknown> | undefined;
    await run('locked', 1, {
      onRun: () => {
        second ??= run('locked', 1).catch((error) => error);
      },
    });
    expect(String(await second)).toContain(`in use by process ${process.pid}`);
  });

  it('names what is damaged and the way out, and measures anew what was removed', async () => {
    await cp(join(folder, 'whole'), join(folder, 'damaged'), { recursive: true });
    const captions = join(folder, 'damaged/runs/refcap/seed-2/dev/captions.jsonl');
    const before = await readFile(captions, 'utf8');
    await writeFile(captions, before.slice(0, -40));
    await expect(run('damaged', 2)).rejects.toThrow(
      /captions\.jsonl, line 4: not JSON.*Remove .*refcap\/seed-2\/dev and run the ablation again/,
    );
    await writeFile(captions, before.replaceAll('"CIDEr":', '"Cider":'));
    await expect(run('damaged', 2)).rejects.toThrow(/has no CIDEr of/);
    await rm(join(folder, 'damaged/runs/refcap/seed-2/dev'), { recursive: true });
    expect(await work('damaged', 2)).toEqual(['refcap 2 captioned']);
    expect(await found('damaged')).toEqual(await found('whole'));
    const result = join(folder, 'damaged/results/plain-seed-1.json');
    await writeFile(result, '{"variant": "plain"}');
    await expect(run('damaged', 2)).rejects.toThrow(/plain-seed-1\.json: version: .*; remove it/);
    // A result that is gone: the run is made again, and its evaluation with it.
    await rm(result);
    expect(await work('damaged', 2)).toEqual(['plain 1 trained', 'plain 1 captioned']);
    expect(await found('damaged')).toEqual(await found('whole'));
  });

  it('measures latency and memory in processes of their own, once', async () => {
    const notes: string[] = [];
    const speed = { images: 2, rounds: 2 };
    const onNote = (note: string) => notes.push(note);
    const first = await run('whole', 1, { speed, onNote });
    expect(notes).toHaveLength(6);
    expect(notes.slice(0, 3)).toEqual([
      'latency, round 1 of 2: plain',
      'latency, round 1 of 2: refcap, layers dropped',
      'latency, round 1 of 2: refcap, layers kept',
    ]);
    for (const { median, rounds } of first.speed?.entries ?? []) {
      expect(rounds).toHaveLength(2);
      expect(median.milliseconds).toBeCloseTo(
        (rounds[0].milliseconds + rounds[1].milliseconds) / 2,
        9,
      );
      expect(median.peakMiB).toBeGreaterThan(30);
      expect(median.words).toBeGreaterThan(0);
    }
    const [plain, dropped, kept] = first.speed?.entries.map(({ weightsMiB }) => weightsMiB) ?? [];
    expect(dropped).toBeCloseTo(plain, 2);
    expect(kept).toBeGreaterThan(dropped);
    const second = await run('whole', 1, { speed, onNote });
    expect(notes).toHaveLength(6);
    expect(second.speed).toEqual(first.speed);
    expect((await run('whole', 1)).speed).toEqual(first.speed);
    await rm(join(folder, 'whole/results/speed.json'));
  });

  it('trains an existing captioner further', async () => {
    await mkdir(join(folder, 'models'), { recursive: true });
    const model = join(folder, 'models/start');
    await cp(join(folder, 'whole/runs/plain/seed-1/best'), model, { recursive: true });
    const { rows } = await run(
      'further',
      1,
      {},
      { settings: { epochs: 1 }, flags: { model, variants: ['plain'] } },
    );
    expect(rows.map(({ variant }) => variant)).toEqual(['as it started', 'plain']);
    expect(rows[1].comparison).toBe(undefined);
  });
});
