/** Shards captioned by any number of tasks: the same bytes, nothing twice, nothing half. */
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../src/caption/captioner.ts';
import type { RunOutcome } from '../../src/caption/run.ts';
import { scanTar } from '../../src/data/shards/tar/scan.ts';
import {
  captionShards,
  type ShardOutcome,
  type ShardRunOptions,
} from '../../src/scale/caption-shards.ts';
import { checkNames } from '../../src/scale/names.ts';
import { folderStore } from '../../src/scale/output/folder.ts';
import { shardsOfTask } from '../../src/scale/task.ts';
import { tiny } from '../caption/models.ts';
import { newFolder, tarOf } from '../data/shards/shards.ts';

const names = readdirSync(join(tiny, 'images')).sort().slice(0, 9);
const data = newFolder();
const shards = [0, 1, 2].map((i) => join(data, `x-${i}.tar`));

let captioner: Captioner;
beforeAll(async () => {
  captioner = await Captioner.load(tiny, { threads: 1 });
  for (const [i, shard] of shards.entries())
    tarOf(
      shard,
      Object.fromEntries(
        names
          .slice(3 * i, 3 * i + 3)
          .map((name) => [name, readFileSync(join(tiny, 'images', name))]),
      ),
    );
});
afterAll(() => captioner[Symbol.dispose]());

async function run(folder: string, own: readonly string[], changes: Partial<ShardRunOptions> = {}) {
  const outcomes: [string, ShardOutcome][] = [];
  const failures: string[] = [];
  const options = { do_sample: true, seed: 4 };
  const counts = await captionShards(captioner, own, await folderStore(folder), {
    options,
    batchSize: 2,
    settings: { refcap: 'test', model: 'tiny', options },
    onShard: (shard, outcome) => outcomes.push([shard.slice(-7, -4), outcome]),
    onDone: (outcome: RunOutcome) => {
      if (outcome.kind === 'failed') failures.push(outcome.error.message);
    },
    ...changes,
  });
  return { counts, outcomes, failures };
}

const filesIn = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );

describe('shards', () => {
  it('become the same objects, whoever captions them, in whatever order', async () => {
    const alone = newFolder();
    await run(alone, shards);
    const many = newFolder();
    for (const index of [2, 0, 1]) await run(many, shardsOfTask(shards, { index, count: 3 }));
    const workers = newFolder();
    using other = await Captioner.load(tiny, { threads: 1, workers: 2 });
    await captionShards(other, [...shards].reverse(), await folderStore(workers), {
      options: { do_sample: true, seed: 4 },
      batchSize: 2,
      settings: { refcap: 'test', model: 'tiny', options: { do_sample: true, seed: 4 } },
    });
    expect(Object.keys(filesIn(alone))).toEqual([
      '_SETTINGS.json',
      ...['x-0._SUCCESS', 'x-0.jsonl', 'x-1._SUCCESS', 'x-1.jsonl', 'x-2._SUCCESS', 'x-2.jsonl'],
    ]);
    expect(filesIn(many)).toEqual(filesIn(alone));
    expect(filesIn(workers)).toEqual(filesIn(alone));
    const rows = filesIn(alone)['x-1.jsonl'].trim().split('\n');
    expect(rows.map((row) => JSON.parse(row))).toEqual(
      names.slice(3, 6).map((name) =>
        expect.objectContaining({
          file: `tar://${name}::${shards[1]}`,
          key: name.slice(0, name.indexOf('.')),
          caption: expect.any(String),
        }),
      ),
    );
    expect(JSON.parse(filesIn(alone)['x-1._SUCCESS'])).toEqual({
      ...{ shard: shards[1], captioned: 3, failed: 0 },
      ...{ refcap: 'test', model: 'tiny', options: { do_sample: true, seed: 4 } },
    });
  });

  it('that are done are not done again, whatever was stopped in between', async () => {
    const folder = newFolder();
    const whole = newFolder();
    await run(whole, shards);
    const stop = new AbortController();
    let captioned = 0;
    const stopped = run(folder, shards, {
      signal: stop.signal,
      onDone: () => {
        if (++captioned === 4) stop.abort();
      },
    });
    await expect(stopped).rejects.toThrow();
    expect(Object.keys(filesIn(folder))).toEqual(['_SETTINGS.json', 'x-0._SUCCESS', 'x-0.jsonl']);
    const { outcomes, counts } = await run(folder, shards);
    expect(outcomes.map(([, outcome]) => outcome)).toEqual([
      'done before',
      'captioned',
      'captioned',
    ]);
    expect(counts.captioned).toBe(6);
    expect(filesIn(folder)).toEqual(filesIn(whole));
    // An object without its mark may be of a run that was killed between the two.
    rmSync(join(folder, 'x-1._SUCCESS'));
    writeFileSync(join(folder, 'x-1.jsonl'), 'half');
    expect((await run(folder, shards)).counts.captioned).toBe(3);
    expect(filesIn(folder)).toEqual(filesIn(whole));
  });

  it('of which one is missing and one is cut off leave the others, and are not done', async () => {
    const own = newFolder();
    const paths = shards.map((_, i) => join(own, `y-${i}.tar`));
    cpSync(shards[0], paths[0]);
    const files: number[] = [];
    for await (const { offset } of scanTar(paths[0])) files.push(offset);
    truncateSync(paths[0], files[2] + 10);
    cpSync(shards[2], paths[2]);
    const folder = newFolder();
    const { outcomes, failures, counts } = await run(folder, paths);
    expect(outcomes.map(([, outcome]) => outcome)).toEqual(['damaged', 'missing', 'captioned']);
    expect(failures).toEqual([
      expect.stringMatching(
        /y-0\.tar: the tar is cut off behind .*; fetch or write the shard again/,
      ),
      `${paths[1]}: there is no such shard; check the name.`,
    ]);
    expect(counts).toMatchObject({ failed: 2, shards: { missing: 1, damaged: 1, captioned: 1 } });
    const marks = Object.keys(filesIn(folder)).filter((name) => name.endsWith('._SUCCESS'));
    expect(marks).toEqual(['y-2._SUCCESS']);
    cpSync(shards[0], paths[0]);
    cpSync(shards[1], paths[1]);
    const again = await run(folder, paths);
    expect(again.outcomes.map(([, outcome]) => outcome)).toEqual([
      'captioned',
      'captioned',
      'done before',
    ]);
  });

  it('with other settings are refused before anything is written', async () => {
    const folder = newFolder();
    await run(folder, shards.slice(0, 1));
    const before = filesIn(folder);
    await expect(
      run(folder, shards, { settings: { refcap: 'test', model: 'other', options: {} } }),
    ).rejects.toThrow('other settings (model: tiny, now other)');
    expect(filesIn(folder)).toEqual(before);
  });

  it('of the same name are refused', () =>
    expect(() => checkNames(['a/x.tar', 'b/x.tar'])).toThrow(
      'a/x.tar and b/x.tar would both be written to x.jsonl;',
    ));
});
