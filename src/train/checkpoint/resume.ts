/** A run's folder at the start: new, or to be gone on with under the same settings. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { InputError, UsageError } from '../../base/errors.ts';

import { readTextIfThere, writing } from '../../base/files.ts';
import { isDesktopFile, removeLeftovers } from '../../base/folders.ts';
import { parseJson } from '../../base/json.ts';
import { lockFolder } from '../../base/lock.ts';
import { checkWritableFolder } from '../../base/writable.ts';
import { parseTrainConfig, type TrainConfig } from '../config/config.ts';

import { describeDifference, differences, type Settings } from '../config/file.ts';
import { usualHeads } from '../config/layers.ts';

/** What config.json says of a run, as far as going on with it needs to know. */
const savedSchema = z.looseObject({
  train: z.record(z.string(), z.unknown()),
  start: z.record(z.string(), z.unknown()),
  /** Processes that train together; runs of before do not tell, and had one. */
  ranks: z.int().positive().optional(),
  data: z.looseObject({ fingerprint: z.string() }),
});
export type SavedRun = z.infer<typeof savedSchema>;

/** What the folder of each kind of run has from early on, and no other. */
const marks = { run: 'config.json', stages: 'stages.json', members: 'member-1' } as const;
type Kind = keyof typeof marks;

const goOnWith: Readonly<Record<Kind, string>> = {
  run: 'a single run, which goes on with settings without stages or members',
  stages: "a recipe's stages, which go on with its --config",
  members: "a recipe's members, which go on with its --config",
};

/** What a folder may hold before its first run; hidden files beside. */
const harmless = new Set(['features', 'lock']);

/**
 * Takes a folder for a run: one that holds none, or with `resume` one whose run goes on. What a killed
 * program left half-written in it is removed.
 * @returns its lock
 * @throws InputError when it holds something else, or another program is at work in it
 */
export async function openRunFolder(
  folder: string,
  kind: Kind,
  resume: boolean,
): Promise<AsyncDisposable> {
  await checkWritableFolder(folder);
  await writing(folder, () => mkdir(folder, { recursive: true }));
  const names = await readdir(folder);
  if (!resume || !names.includes(marks[kind])) checkNew(folder, names, resume);
  const lock = await lockFolder(folder);
  await removeLeftovers(folder);
  return lock;
}

function checkNew(folder: string, names: readonly string[], resume: boolean): void {
  const other = names.find(
    (name) => !harmless.has(name) && !name.startsWith('.') && !isDesktopFile(name),
  );
  if (other === undefined) return;
  if (!resume)
    throw new InputError(
      `${folder}: there is a run already; go on with --resume, or choose another --output folder`,
    );
  const kind = (['run', 'stages', 'members'] as const).find((one) => names.includes(marks[one]));
  throw new InputError(
    `${folder}: the folder holds ${kind === undefined ? `${other} and no run to go on with` : goOnWith[kind]}; or choose another --output folder`,
  );
}

/**
 * Reads config.json of a run; undefined where a run ended before it had one.
 * @throws InputError when it is not a run's
 */
export async function readSavedRun(folder: string): Promise<SavedRun | undefined> {
  const path = join(folder, 'config.json');
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  const parsed = savedSchema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(`${path}: ${issue.path.join('.')}: ${issue.message}; it is not a run's`);
}

/**
 * The settings that decide the steps of a run, of saved ones: how often it tells and what it keeps may
 * change. Settings that have come since have their defaults.
 */
export function stepSettings(train: Settings): Settings {
  const { logEvery, keepCheckpoints, checkpointEvery, ...settings } = filledIn(train);
  return settings;
}

function filledIn(settings: Settings): Settings {
  try {
    return asBefore(parseTrainConfig(settings));
  } catch (error) {
    // Of another version: the differences tell.
    if (error instanceof UsageError) return settings;
    throw error;
  }
}

/** Before heads could be left to the decoder, the usual number stood where none was given. */
function asBefore(config: TrainConfig): Settings {
  const { refinement, alignment } = config;
  return {
    ...config,
    refinement: refinement && { ...refinement, heads: refinement.heads ?? usualHeads },
    alignment: alignment && { ...alignment, heads: alignment.heads ?? usualHeads },
  };
}

/** What is compared of two descriptions of a run. */
function compared({ train, start, ranks = 1, data }: SavedRun): unknown {
  return { train: stepSettings(train), start, ranks, data: data.fingerprint };
}

/**
 * Refuses to go on with other settings, another start or other data, unless that is allowed.
 * @returns the differences, a sentence each
 * @throws UsageError listing them
 */
export function checkSameRun(
  before: SavedRun,
  now: SavedRun,
  folder: string,
  allowChanges: boolean,
): string[] {
  return refuseChanges(compared(before), compared(now), folder, allowChanges);
}

/** As `checkSameRun`, for any two descriptions of what was made and what is to go on. */
export function refuseChanges(
  before: unknown,
  now: unknown,
  folder: string,
  allowChanges: boolean,
): string[] {
  const found = differences(before, now).map(describeDifference);
  if (found.length > 0 && !allowChanges)
    throw new UsageError(
      `${folder}: the run was made otherwise: ${found.join('; ')}. Use the same settings, or --allow-changes.`,
    );
  return found;
}
