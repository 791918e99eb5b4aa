/** From a settings file to the runs that it asks for: one, or the stages of a recipe. Pure. */
import * as z from 'zod';
import { UsageError } from '../../base/errors.ts';
import { parseTrainConfig, presets, type TrainConfig } from '../config/config.ts';
import { mergeSettings, type Settings } from '../config/file.ts';
import { type PresetName, presetNames } from '../config/names.ts';

/** One run of a recipe. */
export interface Stage {
  /** Names its folder, and nothing else. */
  readonly name: string;
  readonly config: TrainConfig;
  /** Which model of the stage before it starts from. Of no meaning in the first. */
  readonly from: 'best' | 'last';
  /** How often it is trained, each time with another seed; the weights of the best models are averaged. */
  readonly runs: number;
}

/** The settings of a stage's runs. */
export function runsOf({ config, runs }: Stage): TrainConfig[] {
  return Array.from({ length: runs }, (_, i) => ({ ...config, seed: config.seed + i }));
}

const stagesSchema = z
  .array(
    z.looseObject({
      name: z
        .string()
        .regex(
          /^[A-Za-z0-9][A-Za-z0-9-]*$/,
          'letters, digits and hyphens, since it names a folder',
        ),
      from: z.enum(['best', 'last']).default('best'),
      runs: z.int().positive().default(1),
    }),
  )
  .nonempty();

const memberSchema = z.looseObject({
  stages: z.unknown().refine((stages) => stages !== undefined, 'missing'),
  members: z.undefined('a member has stages, and no members of its own').optional(),
});

const membersSchema = z
  .array(memberSchema)
  .min(2, 'list two at least; one is a recipe without members');

/** What a settings file asks for. */
export interface Recipe {
  /** Of a single run. */
  readonly config?: TrainConfig;
  /** Of a recipe. */
  readonly stages?: readonly Stage[];
  /** Of a model of several members: the stages of each. */
  readonly members?: readonly (readonly Stage[])[];
}

/**
 * Settings are laid over each other: the preset, what the file says, what the stage says, and what
 * `over` adds, which wins.
 * @param preset the one asked for beside the file
 * @throws UsageError naming the stage and the setting that is wrong
 */
export function readRecipe(
  file: Settings,
  preset: PresetName | undefined,
  over: (settings: Settings) => Settings,
): Recipe {
  const { members, ...rest } = file;
  if (members !== undefined) {
    const parsed = membersSchema.safeParse(members);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new UsageError(`${['members', ...issue.path].join('.')}: ${issue.message}`);
    }
    const all = parsed.data.map((member, i) =>
      within(
        `member ${i + 1}`,
        () => readRecipe(mergeSettings(rest, member), preset, over).stages ?? [],
      ),
    );
    checkMembers(all);
    return { members: all };
  }
  const { stages: listed, ...shared } = rest;
  const configOf = (settings: Settings): TrainConfig => {
    const { preset: named, ...own } = settings;
    return parseTrainConfig(over(mergeSettings(presets[presetOf(preset ?? named)], own)));
  };
  if (listed === undefined) return { config: configOf(shared) };
  const parsed = stagesSchema.safeParse(listed);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UsageError(`${['stages', ...issue.path].join('.')}: ${issue.message}`);
  }
  const stages = parsed.data.map(({ name, from, runs, ...own }): Stage => {
    const config = within(`stage ${name}`, () => configOf(mergeSettings(shared, own)));
    return { name, from, runs, config };
  });
  checkStages(stages);
  return { stages };
}

/** Says where a setting is wrong. */
function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${place}: ${error.message}`);
    throw error;
  }
}

function presetOf(name: unknown): PresetName {
  const preset = presetNames.find((known) => known === (name ?? 'refcap'));
  if (preset !== undefined) return preset;
  throw new UsageError(`preset: there is no '${String(name)}'; known: ${presetNames.join(', ')}`);
}

/** What the words of a fresh decoder are made by. */
const wordFields = ['minWordCount', 'vocabulary', 'maxWords'] as const;

function checkMembers(members: readonly (readonly Stage[])[]): void {
  const [[first]] = members;
  for (const [i, [{ config }]] of members.entries())
    for (const field of wordFields)
      if (config[field] !== first.config[field])
        throw new UsageError(
          `member ${i + 1}: ${field} is ${String(config[field])} here and ${String(first.config[field])} in the first member; members have the same words`,
        );
}

/** Of a fresh decoder: made once, in the first stage. */
const fixedFields = ['layers', 'width', 'heads', 'vocabulary'] as const;

function checkStages(stages: readonly Stage[]): void {
  const seen = new Set<string>();
  const [first] = stages;
  for (const [place, { name, from, config }] of stages.entries()) {
    const before = place > 0 ? stages[place - 1] : undefined;
    if (from === 'last' && before !== undefined && before.runs > 1)
      throw new UsageError(
        `stage ${name}: from is last, but the average of the ${before.runs} runs of stage ${before.name} is a best model`,
      );
    if (seen.has(name)) throw new UsageError(`stages: two have the name ${name}`);
    seen.add(name);
    for (const field of fixedFields)
      if (config[field] !== first.config[field])
        throw new UsageError(
          `stage ${name}: ${field} is ${String(config[field])} here and ${String(first.config[field])} in the first stage; the decoder keeps its sizes`,
        );
  }
}
