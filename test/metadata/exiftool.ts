/** exiftool as the reader of what is written: Debian's libimage-exiftool-perl. */
import { spawnSync } from 'node:child_process';
import { z } from 'zod';

/** Whether it is installed here; tests that need it are skipped otherwise. */
export const hasExiftool: boolean = spawnSync('exiftool', ['-ver']).status === 0;

function exiftool(args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync('exiftool', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`exiftool ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

const tags = z.array(z.record(z.string(), z.unknown()));

/** All tags of a file, by group and name, languages too; without those of the file itself. */
export function tagsOf(path: string): Record<string, unknown> {
  const [found] = tags.parse(JSON.parse(exiftool(['-j', '-G1', '-struct', '-a', '-b', path])));
  const isOfTheFile = (name: string): boolean =>
    /^(?:SourceFile|System:|ExifTool:|File:|Composite:)/.test(name);
  return Object.fromEntries(Object.entries(found).filter(([name]) => !isOfTheFile(name)));
}

/** What exiftool finds wrong with a file, a line each. */
export function complaintsOf(path: string): string[] {
  const lines = exiftool(['-validate', '-warning', '-error', '-a', path]).split('\n');
  return lines.filter((line) => line !== '' && !/^Validate\s*: OK$/.test(line));
}

/** Changes a file in place. */
export function change(path: string, args: readonly string[]): void {
  exiftool(['-q', '-overwrite_original', ...args, path]);
}
