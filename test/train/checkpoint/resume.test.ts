/** A run's folder at the start: whose it is, whether it may be gone on with, and with which settings. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError, UsageError } from '../../../src/base/errors.ts';
import {
  checkSameRun,
  openRunFolder,
  readSavedRun,
  type SavedRun,
  stepSettings,
} from '../../../src/train/checkpoint/resume.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'refcap-resume-')), 'run');
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

async function holding(...names: readonly string[]): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  for (const name of names)
    if (name.includes('.')) await writeFile(join(folder, name), '{}');
    else await mkdir(join(folder, name));
}

describe('openRunFolder', () => {
  it('makes a new folder, locks it, and unlocks it', async () => {
    const lock = await openRunFolder(folder, 'run', false);
    expect(await readdir(folder)).toEqual(['lock']);
    await expect(openRunFolder(folder, 'run', true)).rejects.toThrow(InputError);
    await lock[Symbol.asyncDispose]();
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes what says nothing of a run for an empty folder', async () => {
    await holding('features', '.DS_Store', 'Thumbs.db', '.hidden.txt');
    await using _ = await openRunFolder(folder, 'run', false);
  });

  it.each([
    ['run', 'config.json'],
    ['stages', 'stages.json'],
    ['members', 'member-1'],
  ] as const)('goes on with %s by %s, and only when asked to', async (kind, mark) => {
    await holding(mark);
    await expect(openRunFolder(folder, kind, false)).rejects.toThrow('go on with --resume');
    await using _ = await openRunFolder(folder, kind, true);
  });

  it.each([
    ['run', 'stages.json', "a recipe's stages, which go on with its --config"],
    ['stages', 'config.json', 'a single run, which goes on with settings without'],
    ['run', 'member-1', "a recipe's members"],
    ['members', 'notes.txt', 'notes.txt and no run to go on with'],
  ] as const)('does not go on as %s with %s', async (kind, mark, sentence) => {
    await holding(mark);
    await expect(openRunFolder(folder, kind, true)).rejects.toThrow(sentence);
  });

  it('removes what a killed program left half-written', async () => {
    await holding('config.json', '.best.123.tmp', '.metrics.jsonl.7.tmp');
    await using _ = await openRunFolder(folder, 'run', true);
    expect((await readdir(folder)).sort()).toEqual(['config.json', 'lock']);
  });
});

describe('readSavedRun', () => {
  it('is none before a run has a config.json, and refuses what is no run’s', async () => {
    await holding();
    expect(await readSavedRun(folder)).toBeUndefined();
    await writeFile(join(folder, 'config.json'), '{"train": {}, "start": {}}');
    await expect(readSavedRun(folder)).rejects.toThrow(/config\.json: data.*it is not a run's/);
    const saved = { train: {}, start: {}, data: { fingerprint: 'f', more: 1 }, version: '1' };
    await writeFile(join(folder, 'config.json'), JSON.stringify(saved));
    expect(await readSavedRun(folder)).toEqual(saved);
  });
});

describe('settings', () => {
  const run = (train: Record<string, unknown>, more: Partial<SavedRun> = {}): SavedRun => ({
    train,
    start: { tower: 't' },
    data: { fingerprint: 'f' },
    ...more,
  });

  it('are the same with defaults filled in, whatever is told and kept', () => {
    const changed = { logEvery: 3, keepCheckpoints: 9, checkpointEvery: 77 };
    expect(checkSameRun(run({}), run(changed), folder, false)).toEqual([]);
    expect(stepSettings({})).toEqual(stepSettings(changed));
    expect(stepSettings({})).toHaveProperty('learningRate');
  });

  it('of an older version had the usual heads where none were given', () => {
    const before = run({ refinement: { heads: 8 } });
    expect(checkSameRun(before, run({ refinement: {} }), folder, false)).toEqual([]);
    expect(() => checkSameRun(before, run({ refinement: { heads: 4 } }), folder, false)).toThrow(
      'refinement.heads: 8 before, 4 now',
    );
  });

  it('that differ are all named, or given back where changes are allowed', () => {
    const now = run({ dropout: 0.3 }, { data: { fingerprint: 'g' } });
    const check = (allow: boolean) => checkSameRun(run({ dropout: 0.1 }), now, folder, allow);
    expect(() => check(false)).toThrow(UsageError);
    expect(() => check(false)).toThrow(/dropout: 0\.1 before, 0\.3 now; data: "f" before, "g" now/);
    expect(check(true)).toEqual([
      'train.dropout: 0.1 before, 0.3 now',
      'data: "f" before, "g" now',
    ]);
  });

  it('of another version, which has settings that this one lacks, differ by them', () => {
    expect(() => checkSameRun(run({ bygone: 1 }), run({}), folder, false)).toThrow(/bygone/);
  });
});
