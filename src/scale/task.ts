/** Which of the shards are a task's, where an engine starts the same command on many machines. */
import { UsageError } from '../base/errors.ts';

/** A part of the work: `index` counts from 0. */
export interface Task {
  readonly index: number;
  readonly count: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The task that flags say, or the engine: a Slurm array (SLURM_ARRAY_TASK_ID, _MIN, _STEP and _COUNT) or an Indexed Job
 * of Kubernetes (JOB_COMPLETION_INDEX, which does not say how many there are). Without either, all is one task.
 * @throws UsageError where a task has no count, or is not one of so many
 */
export function taskOf(
  flags: { readonly task?: number | undefined; readonly tasks?: number | undefined },
  env: Environment,
): Task {
  const slurm = slurmTask(env);
  const completion = numberIn(env, 'JOB_COMPLETION_INDEX');
  const index = flags.task ?? slurm?.index ?? completion;
  const count = flags.tasks ?? slurm?.count ?? (index === undefined ? 1 : undefined);
  if (count === undefined)
    throw new UsageError(
      `task ${index} is one of how many? Say so with --tasks (of a Kubernetes Job, its completions).`,
    );
  if (index === undefined && count > 1)
    throw new UsageError(`--tasks ${count} needs --task, a number from 0 to ${count - 1}.`);
  if ((index ?? 0) >= count)
    throw new UsageError(
      `task ${index} is none of ${count}: they are counted from 0 to ${count - 1}.`,
    );
  return { index: index ?? 0, count };
}

function slurmTask(env: Environment): { index: number; count: number | undefined } | undefined {
  const id = numberIn(env, 'SLURM_ARRAY_TASK_ID');
  if (id === undefined) return undefined;
  const first = numberIn(env, 'SLURM_ARRAY_TASK_MIN') ?? 0;
  const step = numberIn(env, 'SLURM_ARRAY_TASK_STEP') ?? 1;
  return { index: (id - first) / step, count: numberIn(env, 'SLURM_ARRAY_TASK_COUNT') };
}

/** @throws UsageError where the variable is set to something else */
function numberIn(env: Environment, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageError(`${name}: this should be a whole number but is "${text}".`);
}

/** The task's shards: every so many-th, so that all tasks begin at the beginning. */
export function shardsOfTask(shards: readonly string[], { index, count }: Task): string[] {
  return shards.filter((_, i) => i % count === index);
}
