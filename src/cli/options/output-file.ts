/** Files that commands write: looked at before the work begins, so that nothing is lost and no work is in vain. */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { InputError, UsageError } from '../../base/errors.ts';
import { describeWriteError } from '../../base/files.ts';
import { isStream } from '../../base/streams.ts';

/**
 * Pipes and devices are written into: there is nothing to be replaced.
 * @param mayReplace whether a file that is there may be replaced
 * @param refusal what is said where it may not
 * @throws InputError when a file is there that must stay, or nothing can be written there
 */
export async function checkOutputFile(
  path: string,
  mayReplace: boolean | (() => Promise<boolean>),
  refusal = `${path}: the file is there; choose another, or --overwrite.`,
): Promise<void> {
  if (await isStream(path)) return;
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw new InputError(`${path}: this is a folder; name a file.`);
  if (found && !(typeof mayReplace === 'boolean' ? mayReplace : await mayReplace()))
    throw new InputError(refusal);
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory())
    throw new InputError(`${path}: the folder does not exist; create it first.`);
  try {
    // A file is written under another name first.
    await access(dirname(path), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw describeWriteError(path, error);
  }
}

/**
 * The format that an output file's ending stands for, under the one that was asked for.
 * @param endings formats by extension, lower case and with the dot
 * @throws UsageError where the two contradict each other
 */
export function formatOfOutput<Format extends string>(
  output: string | undefined,
  given: Format | undefined,
  endings: Readonly<Record<string, Format>>,
): Format | undefined {
  const extension = output === undefined ? '' : extname(output).toLowerCase();
  const implied = endings[extension];
  if (given === undefined || implied === undefined || given === implied) return given ?? implied;
  throw new UsageError(
    `--output ${output} is the name of a ${extension} file, which --format ${given} does not write; leave out --format, or name another file.`,
  );
}
