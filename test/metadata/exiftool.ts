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

/** All tags of files, by group and name, languages too; without those of the file itself. */
export function tagsOfAll(paths: readonly string[]): Record<string, unknown>[] {
  const isOfTheFile = (name: string): boolean =>
    /^(?:SourceFile|System:|ExifTool:|File:|Composite:)/.test(name);
  return tags
    .parse(JSON.parse(exiftool(['-j', '-G1', '-struct', '-a', '-b', ...paths])))
    .map((found) =>
      Object.fromEntries(Object.entries(found).filter(([name]) => !isOfTheFile(name))),
    );
}

export const tagsOf = (path: string): Record<string, unknown> => tagsOfAll([path])[0];

/** What exiftool finds wrong with files. */
export function complaintsOfAll(paths: readonly string[]): unknown[][] {
  const found = tags.parse(
    JSON.parse(exiftool(['-j', '-G4', '-a', '-validate', '-warning', '-error', ...paths])),
  );
  return found.map((each) =>
    Object.entries(each)
      .filter(([name, value]) => name !== 'SourceFile' && value !== 'OK')
      .map(([, value]) => value),
  );
}

export const complaintsOf = (path: string): unknown[] => complaintsOfAll([path])[0];

/** Changes a file in place. */
export function change(path: string, args: readonly string[]): void {
  exiftool(['-q', '-overwrite_original', ...args, path]);
}
