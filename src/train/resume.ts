/** A run's folder at the start: new, or to be gone on with under the same settings. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, UsageError } from '../base/errors.ts';
import { parseJson, readTextIfThere } from '../base/files.ts';
import { lockFolder } from '../base/lock.ts';
import { parseTrainConfig } from './config.ts';
import { describeDifference, differences, type Settings } from './config-file.ts';

/** What config.json says of a run, as far as going on with it needs to know. */
const savedSchema = z.looseObject({
  train: z.record(z.string(), z.unknown()),
  start: z.record(z.string(), z.unknown()),
  data: z.looseObject({ fingerprint: z.string() }),
});
export type SavedRun = z.infer<typeof savedSchema>;

/** Files that a folder may hold before its first run. */
const harmless = new Set(['features', 'lock']);

/** @throws InputError when the folder holds a run already */
export async function prepareNewRun(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).some((name) => !harmless.has(name)))
    throw new InputError(
      `${folder}: there is a run already; go on with --resume, or choose another --output folder`,
    );
}

/**
 * Takes a folder for a run of stages or members: a new one, or the one that goes on.
 * @returns its lock
 * @throws InputError when it holds a run that is not to go on, or another program is at work in it
 */
export async function openRunFolder(folder: string, resume: boolean): Promise<AsyncDisposable> {
  if (resume) await mkdir(folder, { recursive: true });
  else await prepareNewRun(folder);
  return lockFolder(folder);
}

/**
 * Reads config.json of a run; undefined where a run ended before it had one.
 * @throws InputError when there is no run's folder
 */
export async function readSavedRun(folder: string): Promise<SavedRun | undefined> {
  const path = join(folder, 'config.json');
  const text = await readTextIfThere(path);
  if (text === undefined) {
    await prepareNewRun(folder);
    return undefined;
  }
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
    return parseTrainConfig(settings);
  } catch (error) {
    // Of another version: the differences tell.
    if (error instanceof UsageError) return settings;
    throw error;
  }
}

/** What is compared of two descriptions of a run. */
function compared({ train, start, data }: SavedRun): unknown {
  return { train: stepSettings(train), start, data: data.fingerprint };
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
