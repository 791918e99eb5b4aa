/** The work of `refcap explain`: pictures explained, or the methods measured. */
import { readFile } from 'node:fs/promises';
import { InputError, UsageError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { givenOptions } from '../../caption/command-options.ts';
import { listInputs } from '../../caption/sources/inputs.ts';
import { explain } from '../../explain/explain.ts';
import { aboutMethods } from '../../explain/methods/names.ts';
import { explanationRow } from '../../explain/output/json.ts';
import { explainGenerator } from '../../pages/explain/page.ts';
import { generatorTag } from '../../pages/frame.ts';
import { loadCaptioner } from '../options/captioner.ts';
import { checkOutputFile } from '../options/output-file.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { ProgressLine } from '../terminal/progress.ts';
import type { ExplainedPicture } from './draw.ts';
import { evaluateCommand } from './evaluate.ts';
import { checkFlags, type ExplainFlags, type IsGiven } from './flags.ts';
import type { Format } from './formats.ts';

/**
 * @param isGiven whether a flag was written, not its default
 * @throws UsageError where flags do not fit each other; InputError where the model or what is read cannot be used
 */
export async function runExplain(
  inputs: readonly string[],
  flags: ExplainFlags,
  isGiven: IsGiven,
): Promise<void> {
  const { format, output } = checkFlags(inputs, flags, isGiven);
  if (output !== undefined)
    await checkOutputFile(
      output,
      async () => flags.overwrite === true || (format === 'html' && (await isOwnPage(output))),
    );
  await interruptible(
    (signal) =>
      flags.evaluate
        ? evaluateCommand(flags, output, signal)
        : explainInputs(inputs, flags, { format, output }, signal),
    '; nothing was written.',
  );
}

async function isOwnPage(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.slice(0, 2000).includes(generatorTag(explainGenerator));
}

async function explainInputs(
  inputs: readonly string[],
  flags: ExplainFlags,
  { format, output }: { format: Format; output: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const pictures = await picturesOf(inputs, flags);
  using captioner = await loadCaptioner(flags, signal);
  const { caption, method, beams, seed } = flags;
  const generation = givenOptions({ beams });
  captioner.check(generation);
  const progress = new ProgressLine();
  progress.total = pictures.length;
  const explained: ExplainedPicture[] = [];
  let failed = 0;
  for (const { file, source } of pictures) {
    try {
      if (source instanceof InputError) throw source;
      const own = { decode: { name: file }, ...generation };
      const explanation = await explain(captioner, source, {
        ...{ seed, signal, generation: own },
        ...(method !== undefined && { method }),
        ...(caption !== undefined && { caption }),
      });
      explained.push({ file, source, explanation });
    } catch (error) {
      // A caption that cannot be explained is no fault of the one picture that it is given for.
      if (!(error instanceof InputError) || caption !== undefined) throw error;
      failed += 1;
      console.error(`refcap: ${error.message}`);
    }
    if (!flags.quiet) progress.advance();
  }
  progress.clear();
  if (explained.length > 0) await write(explained, flags, format, output);
  if (failed > 0) process.exitCode = explained.length > 0 ? 3 : 1;
}

/** @throws UsageError where one caption is given for several pictures */
async function picturesOf(
  inputs: readonly string[],
  { recursive, caption }: ExplainFlags,
): Promise<{ file: string; source: string | InputError }[]> {
  const pictures: { file: string; source: string | InputError }[] = [];
  for await (const input of listInputs(inputs, { recursive: recursive ?? false })) {
    const { name: file } = input;
    if (input.kind === 'file') pictures.push({ file, source: input.path ?? file });
    else if (input.kind === 'in shard') pictures.push({ file, source: file });
    else if (/^https?:/i.test(file))
      pictures.push({
        file,
        source: new InputError(`${file}: explain takes files; save it first.`),
      });
    else if (input.kind === 'nothing') pictures.push({ file, source: input.error });
  }
  if (caption !== undefined && pictures.length > 1)
    throw new UsageError(`--caption is for one picture, and there are ${pictures.length}.`);
  return pictures;
}

async function write(
  explained: readonly ExplainedPicture[],
  { model, quiet }: ExplainFlags,
  format: Format,
  output: string | undefined,
): Promise<void> {
  if (format === 'json') {
    const rows = explained.map(({ file, explanation }) => ({
      file,
      ...explanationRow(explanation),
    }));
    const json = `${JSON.stringify(rows)}\n`;
    if (output === undefined) process.stdout.write(json);
    else await writeFileAtomic(output, json);
  } else if (output !== undefined) {
    const { drawPage, drawSheet } = await import('./draw.ts');
    const [{ explanation }] = explained;
    const { method } = explanation;
    const about = { model, method, about: aboutMethods[method] };
    await writeFileAtomic(
      output,
      format === 'html' ? await drawPage(explained, about) : await drawSheet(explained),
    );
  }
  if (!quiet && output !== undefined)
    console.error(`refcap: ${explained.length} explained; written to ${output}`);
}
