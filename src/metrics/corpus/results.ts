/** From a corpus' sums to scores by name, with intervals and differences. */
import { createRandom } from '../../base/random.ts';
import type { BootstrapOptions, Difference, Interval } from '../bootstrap.ts';
import { diversityScores } from '../diversity.ts';
import { metricRows } from '../registry.ts';
import type { Selection } from '../selection.ts';
import { breathe } from './runner.ts';
import type { CorpusStatistics, SystemStatistics } from './statistics.ts';

/** The scores of one system, by name, in the registry's order. */
export interface CorpusScores {
  scores: Record<string, number>;
  /** Of the metrics of images; absent without a bootstrap. */
  intervals?: Record<string, Interval>;
  /** This system minus the first one; absent for the first, and without a bootstrap. */
  differences?: Record<string, Difference>;
}

export interface ResultOptions {
  /** Resamples of the images, for intervals and differences; 0 for none. */
  bootstrap?: number | undefined;
  /** Of the intervals, such as 0.95, the default. */
  confidence?: number | undefined;
  /** Of the resamples; 0 by default. */
  seed?: number | undefined;
  /** Stops the work: the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Told the step and the share of it done, 0 to 1. */
  onProgress?: ((step: string, done: number) => void) | undefined;
}

/**
 * The results of each system; the first is the baseline of the others.
 * @param names what to call the systems when progress is told.
 */
export async function corpusResults(
  statistics: CorpusStatistics,
  selection: Selection,
  names: readonly string[],
  options: ResultOptions,
): Promise<CorpusScores[]> {
  const results: CorpusScores[] = [];
  const resampling = (options.bootstrap ?? 0) > 0 ? await import('../bootstrap.ts') : undefined;
  const [{ table: baseline }] = statistics.systems;
  for (const [s, system] of statistics.systems.entries()) {
    const result: CorpusScores = { scores: named(statistics, system, selection) };
    results.push(result);
    if (!system.table || !resampling) continue;
    const { scores } = statistics.layout;
    const byName = <T>(values: readonly T[]) => pick(values, statistics, result);
    const resample = resampling.bootstrapSteps(system.table, scores, bootstrapOptions(options));
    result.intervals = byName(await inSlices(resample, options, `bootstrap of ${names[s]}`));
    if (s === 0 || !baseline) continue;
    const compare = resampling.compareSteps(
      baseline,
      system.table,
      scores,
      bootstrapOptions(options),
    );
    result.differences = byName(await inSlices(compare, options, `comparison of ${names[s]}`));
  }
  return results;
}

/** The scores of each image of a system that are among `names`, image by image. */
export function* imageScores(
  { layout }: CorpusStatistics,
  { table }: SystemStatistics,
  names: readonly string[],
): Generator<number[]> {
  const kept = names.map((name) => layout.names.indexOf(name));
  if (!table) return;
  for (let at = 0; at < table.values.length; at += table.width) {
    const all = layout.imageScores(table.values.subarray(at, at + table.width));
    yield kept.map((k) => all[k]);
  }
}

/** The names of the selection that images have scores of. */
export function imageScoreNames({ layout }: CorpusStatistics, { order }: Selection): string[] {
  return order.filter((name) => layout.names.includes(name));
}

/** Scores by name, in the order in which they are shown. */
function named(
  { layout }: CorpusStatistics,
  { scores, diversity }: SystemStatistics,
  selection: Selection,
): Record<string, number> {
  const values = new Map(layout.names.map((name, i) => [name, scores[i]]));
  if (diversity) {
    for (const [i, value] of diversityScores(diversity).entries())
      if (value !== undefined) values.set(metricRows.diversity.scores[i], value);
  }
  const order = selection.order.filter((name) => values.has(name));
  return Object.fromEntries(order.map((name) => [name, values.get(name) ?? Number.NaN]));
}

function bootstrapOptions({
  bootstrap = 0,
  confidence = 0.95,
  seed = 0,
}: ResultOptions): BootstrapOptions {
  return { resamples: bootstrap, confidence, random: createRandom(seed).next };
}

/** Values in the layout's order as a record in the result's order, of the scores it shows. */
function pick<T>(
  values: readonly T[],
  { layout }: CorpusStatistics,
  { scores }: CorpusScores,
): Record<string, T> {
  return Object.fromEntries(
    Object.keys(scores).flatMap((name) => {
      const at = layout.names.indexOf(name);
      return at < 0 ? [] : [[name, values[at]]];
    }),
  );
}

/** Runs a long computation so that signals are heard and progress is seen. */
async function inSlices<T>(
  steps: Generator<void, T>,
  { signal, onProgress, bootstrap = 0 }: ResultOptions,
  name: string,
): Promise<T> {
  let last = performance.now();
  for (let step = 0; ; step++) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - last < 50) continue;
    onProgress?.(name, Math.min(1, step / bootstrap));
    await breathe();
    signal?.throwIfAborted();
    last = performance.now();
  }
}
