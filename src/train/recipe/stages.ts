/** A recipe: several runs in a row, each going on with the model of the one before, as one resumable run. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { readTextIfThere, writeFileAtomic } from '../../base/files.ts';
import { replaceFolder } from '../../base/folders.ts';
import { parseJson } from '../../base/json.ts';
import { memberFolder } from '../../model/checkpoint/members.ts';
import { averageWeights } from '../checkpoint/average.ts';
import { openRunFolder, refuseChanges, stepSettings } from '../checkpoint/resume.ts';
import type { Settings } from '../config/file.ts';
import { alone, type Peers } from '../distributed/peers.ts';
import { type RunOptions, trainRun } from '../loop/run.ts';
import { runsOf, type Stage } from './recipe.ts';

export type RecipeOptions = Omit<RunOptions, 'config'> & {
  readonly stages: readonly Stage[];
  /** Called before each stage that is trained. */
  onStage(stage: Stage): void;
};

const recordSchema = z.looseObject({
  /** What the finished stages were trained on, and from; not in records of before. */
  data: z.string().optional(),
  start: z.record(z.string(), z.unknown()).optional(),
  /** Processes that train together; those of before do not tell, and had one. */
  ranks: z.int().positive().default(1),
  stages: z.array(
    z.looseObject({
      name: z.string(),
      from: z.string(),
      runs: z.number().default(1),
      train: z.record(z.string(), z.unknown()),
      /** Of work on it in all; null while the stage is at work or to come. */
      minutes: z.number().nullable(),
      /** Of work in sittings that were interrupted. */
      interrupted: z.number().default(0),
    }),
  ),
});
type RecipeRecord = z.infer<typeof recordSchema>;

/** The folder of a stage in the recipe's. */
export function stageFolder(output: string, stages: readonly Stage[], place: number): string {
  return join(output, `${place + 1}-${stages[place].name}`);
}

/**
 * Trains the stages one after the other in `OUTPUT/1-NAME`, `OUTPUT/2-NAME` ..., keeps what is done in
 * `OUTPUT/stages.json`, and leaves the last stage's best model in `OUTPUT/best`. Stages share the
 * features in `OUTPUT/features`. With `resume`, finished stages are passed over and the one that was
 * interrupted goes on where it was. Of several processes all train each stage, and the first one keeps the record.
 * @throws InputError and UsageError as `trainRun` does; UsageError when finished stages had other settings
 */
export async function trainStages(options: RecipeOptions): Promise<void> {
  const { output, stages, resume = false, allowChanges = false, onNote, peers = alone } = options;
  if (peers.rank > 0) return followStages(options, peers);
  await using _lock = await openRunFolder(output, 'stages', resume);
  const path = join(output, 'stages.json');
  const before = await readRecord(path);
  let record = describe(options, before);
  if (before) {
    const done = 1 + before.stages.findLastIndex(wasDone);
    const { data, start } = record;
    const changes = refuseChanges(
      doneBy({ data, start, ...before }, done),
      doneBy(record, done),
      output,
      allowChanges,
    );
    for (const change of changes) onNote(`changed: ${change}`);
  }
  await peers.ofFirst(doneSchema, async () => record.stages.map(wasDone));
  for (const [place, stage] of stages.entries()) {
    const title = `stage ${place + 1} of ${stages.length}, ${stage.name}`;
    if (wasDone(record.stages[place])) {
      onNote(`${title}: done before.`);
      continue;
    }
    onNote(`${title}:`);
    options.onStage(stage);
    await writeRecord(path, record);
    const started = performance.now();
    let isDone = false;
    try {
      await trainStage(options, place, title);
      isDone = true;
    } finally {
      record = worked(record, place, (performance.now() - started) / 60_000, isDone);
      // What stopped the stage is what is told, even if its time cannot be written down.
      await writeRecord(path, record).catch((error: unknown) => {
        if (isDone) throw error;
      });
    }
  }
  await keepBest(stageFolder(output, stages, stages.length - 1), output);
}

/** Which stages are done, as the first rank says. */
const doneSchema = z.array(z.boolean());

/** A further rank's part: the same runs, of which it writes nothing. */
async function followStages(options: RecipeOptions, peers: Peers): Promise<void> {
  const done = await peers.ofFirst(doneSchema, async () => []);
  const { stages, onNote, onFault = onNote } = options;
  const quiet = { ...options, onNote: () => undefined, onFault };
  for (const place of stages.keys()) if (!done[place]) await trainRuns(quiet, place, '');
}

async function trainStage(options: RecipeOptions, place: number, title: string): Promise<void> {
  const { output, stages } = options;
  const folders = await trainRuns(options, place, title);
  if (folders.length > 1) await averageRuns(folders, stageFolder(output, stages, place));
}

/** Trains a stage's runs, from the model of the stage before. @returns their folders */
async function trainRuns(options: RecipeOptions, place: number, title: string): Promise<string[]> {
  const { output, stages, signal, onNote } = options;
  const stage = stages[place];
  const folder = stageFolder(output, stages, place);
  const previous = place === 0 ? undefined : stageFolder(output, stages, place - 1);
  const folders: string[] = [];
  for (const config of runsOf(stage)) {
    const own = stage.runs === 1 ? folder : join(folder, `seed-${config.seed}`);
    folders.push(own);
    if (stage.runs > 1) onNote(`${title}, seed ${config.seed}:`);
    await trainRun({
      ...options,
      output: own,
      config,
      start: previous === undefined ? options.start : { model: join(previous, stage.from) },
      cache: options.cache ?? join(output, 'features'),
    });
    signal?.throwIfAborted();
  }
  return folders;
}

/**
 * Trains the members of a model, each by its stages in `OUTPUT/member-N`, and puts them together in
 * `OUTPUT/best`: the first with the others in it. All share the features in `OUTPUT/features`.
 * @throws as `trainStages`
 */
export async function trainMembers(
  options: Omit<RecipeOptions, 'stages'> & { readonly members: readonly RecipeOptions['stages'][] },
): Promise<void> {
  const { output, members, resume = false, onNote, peers = alone } = options;
  const isFirst = peers.rank === 0;
  await using _lock = isFirst ? await openRunFolder(output, 'members', resume) : nothingLocked;
  const folders = members.map((_, i) => memberFolder(output, i + 1));
  for (const [i, stages] of members.entries()) {
    if (isFirst) onNote(`member ${i + 1} of ${members.length}:`);
    const cache = options.cache ?? join(output, 'features');
    await trainStages({ ...options, output: folders[i], stages, cache });
  }
  if (!isFirst) return;
  await replaceFolder(join(output, 'best'), async (temporary) => {
    for (const [i, folder] of folders.entries()) {
      const target = i === 0 ? temporary : memberFolder(temporary, i + 1);
      await cp(join(folder, 'best'), target, { recursive: true });
    }
  });
}

const nothingLocked: AsyncDisposable = { [Symbol.asyncDispose]: async () => undefined };

type StageRecord = RecipeRecord['stages'][number];

function wasDone({ minutes }: StageRecord): boolean {
  return minutes !== null;
}

/** What the first `count` stages, if any, must have in common with those of the recipe that goes on. */
function doneBy({ data, start, ranks, stages }: RecipeRecord, count: number): Settings {
  if (count === 0) return {};
  const named = stages
    .slice(0, count)
    .map(({ name, from, runs, train }) => [name, { from, runs, ...stepSettings(train) }] as const);
  return { data, start, ranks, stages: Object.fromEntries(named) };
}

function describe(
  { data, start, peers = alone, stages }: RecipeOptions,
  before: RecipeRecord | undefined,
): RecipeRecord {
  return {
    data,
    start,
    ranks: peers.size,
    stages: stages.map(({ name, from, runs, config }, place) => ({
      name,
      from,
      runs,
      train: { ...config },
      minutes: before?.stages[place]?.minutes ?? null,
      interrupted: before?.stages[place]?.interrupted ?? 0,
    })),
  };
}

/** With the minutes of a sitting at the stage. */
function worked(record: RecipeRecord, place: number, minutes: number, done: boolean): RecipeRecord {
  const stages = record.stages.map((stage, i) => {
    if (i !== place) return stage;
    const all = Math.round((stage.interrupted + minutes) * 10) / 10;
    return done ? { ...stage, minutes: all } : { ...stage, interrupted: all };
  });
  return { ...record, stages };
}

async function readRecord(path: string): Promise<RecipeRecord | undefined> {
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  const parsed = recordSchema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(`${path}: ${issue.path.join('.')}: ${issue.message}; it is not a recipe's`);
}

async function writeRecord(path: string, record: RecipeRecord): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(record, null, 2)}\n`);
}

/** Copies the model that the recipe ends with. */
function keepBest(stage: string, output: string): Promise<void> {
  return replaceFolder(join(output, 'best'), (temporary) =>
    cp(join(stage, 'best'), temporary, { recursive: true }),
  );
}

/** Leaves the average of the runs' best models in the stage's folder. */
function averageRuns(runs: readonly string[], stage: string): Promise<void> {
  const models = runs.map((run) => join(run, 'best'));
  return replaceFolder(join(stage, 'best'), async (temporary) => {
    await cp(models[0], temporary, { recursive: true });
    await averageWeights(models, temporary);
  });
}
