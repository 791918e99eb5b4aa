/** `refcap explain --evaluate`: how true explanations are, as a table and as JSON. */
import { writeFileAtomic } from '../../base/files.ts';
import { evaluateExplanations } from '../../explain/evaluate/evaluate.ts';
import { measureNames } from '../../explain/evaluate/measures.ts';
import { reportOf } from '../../explain/evaluate/report.ts';
import { formatReport } from '../../explain/evaluate/table.ts';
import { methodNames } from '../../explain/methods/names.ts';
import { loadCaptioner, type ModelFlags } from '../options/captioner.ts';
import { readingOf } from '../options/dataset.ts';
import { ProgressLine } from '../terminal/progress.ts';
import type { EvaluationFlags } from './flags.ts';

/** @param output where the report goes as JSON, if it is wanted */
export async function evaluateCommand(
  flags: EvaluationFlags & ModelFlags,
  output: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { data = '', split, entities, measures, methods, limit, oracle, seed } = flags;
  const captions = flags.perPicture;
  using captioner = await loadCaptioner(flags, signal);
  let progress = new ProgressLine();
  const measured = await evaluateExplanations(captioner, {
    ...{ data, split, captions, oracle, seed, signal, reading: readingOf(flags) },
    ...(entities !== undefined && { entities }),
    ...(limit !== undefined && { limit }),
    measures: measures ?? measureNames,
    methods: methods ?? methodNames,
    onNote: (note) => console.error(`refcap: ${note}`),
    onDone: (_, done, total) => {
      if (done === 1) {
        progress.clear();
        progress = new ProgressLine();
      }
      if (!flags.quiet) progress.reach(done, total);
    },
  });
  progress.clear();
  const report = reportOf(measured, seed);
  process.stdout.write(formatReport(report));
  if (output === undefined) return;
  const settings = { model: flags.model, data, split, limit, captions, seed };
  await writeFileAtomic(output, `${JSON.stringify({ settings, ...report }, null, 2)}\n`);
}
