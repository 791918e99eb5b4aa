/** From a corpus' sums to reports: scores by name, intervals, comparisons. */
import { createRandom } from '../base/random.ts';
import { type BootstrapOptions, bootstrapSteps, compareSteps } from '../metrics/bootstrap.ts';
import type { CorpusScores, SystemScores } from '../metrics/corpus/corpus.ts';
import type { ScoreInput } from './input.ts';
import type { ScoreFilesOptions } from './options.ts';
import type { SystemReport } from './report.ts';
import { diversityNames, type Selection } from './selection.ts';
import { settingsOf } from './settings.ts';

/** Scores by name, in the order in which they are printed. */
function named(
  { layout }: CorpusScores,
  { scores, diversity }: SystemScores,
  selection: Selection,
): Record<string, number> {
  const values = new Map(layout.names.map((name, i) => [name, scores[i]]));
  if (diversity) {
    const { distinct, vocabulary, meanLength, unique, novel } = diversity;
    [...distinct, vocabulary, meanLength, unique, novel].forEach((value, i) => {
      if (value !== undefined) values.set(diversityNames[i], value);
    });
  }
  const order = selection.order.filter((name) => values.has(name));
  return Object.fromEntries(order.map((name) => [name, values.get(name) ?? Number.NaN]));
}

/** One report a system; the first system is the baseline of the others. */
export async function makeReports(
  input: ScoreInput,
  scores: CorpusScores,
  selection: Selection,
  options: ScoreFilesOptions,
): Promise<SystemReport[]> {
  const reports: SystemReport[] = [];
  for (const [s, system] of scores.systems.entries()) {
    const report: SystemReport = {
      system: input.names[s],
      n: input.corpus.images,
      metrics: named(scores, system, selection),
      settings: settingsOf(input, selection, options, s),
    };
    reports.push(report);
    if (!system.table || (options.bootstrap ?? 0) <= 0) continue;
    report.intervals = pick(
      await inSlices(
        bootstrapSteps(system.table, scores.layout.scores, bootstrapOptions(options)),
        options,
        `bootstrap of ${report.system}`,
      ),
      scores,
      report,
      ({ low, high }) => ({ low, high }),
    );
    const baseline = scores.systems[0].table;
    if (s === 0 || !baseline) continue;
    const differences = await inSlices(
      compareSteps(baseline, system.table, scores.layout.scores, bootstrapOptions(options)),
      options,
      `comparison of ${report.system}`,
    );
    report.comparison = {
      baseline: input.names[0],
      differences: pick(differences, scores, report, ({ difference, low, high, pValue }) => ({
        difference,
        low,
        high,
        p_value: pValue,
      })),
    };
  }
  return reports;
}

function bootstrapOptions({
  bootstrap = 0,
  confidence = 0.95,
  seed = 0,
}: ScoreFilesOptions): BootstrapOptions {
  return { resamples: bootstrap, confidence, random: createRandom(seed).next };
}

/** Values in the layout's order as a record in the report's order, of the scores it shows. */
function pick<T, U>(
  values: readonly T[],
  { layout }: CorpusScores,
  { metrics }: SystemReport,
  change: (value: T) => U,
): Record<string, U> {
  return Object.fromEntries(
    Object.keys(metrics).flatMap((name) => {
      const at = layout.names.indexOf(name);
      return at < 0 ? [] : [[name, change(values[at])]];
    }),
  );
}

/** Runs a long computation so that signals are heard and progress is seen. */
async function inSlices<T>(
  steps: Generator<void, T>,
  { signal, onProgress, bootstrap = 0 }: ScoreFilesOptions,
  name: string,
): Promise<T> {
  let last = performance.now();
  for (let step = 0; ; step++) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - last < 50) continue;
    onProgress?.(name, Math.min(1, step / bootstrap));
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    last = performance.now();
  }
}
