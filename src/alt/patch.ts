/** A page's change as a unified diff that `git apply` and `patch -p1` take. */
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import { structuredPatch } from 'diff';

/** A page's path as a patch names it: from the folder that the command runs in, or from a site that lies elsewhere. */
export function pathInPatch(path: string, site: string): string {
  const here = relative('.', path);
  const isBelow = here.split(sep)[0] !== '..' && !isAbsolute(here);
  return (isBelow ? here : relative(resolve(site), resolve(path)) || basename(path))
    .split(sep)
    .join('/');
}

/**
 * @param path the page, relative to the folder that the patch is applied in, with slashes
 * @returns '' where nothing changes
 */
export function unifiedDiff(path: string, before: string, after: string): string {
  const { hunks } = structuredPatch(path, path, before, after, undefined, undefined, {
    context: 3,
  });
  if (hunks.length === 0) return '';
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
  const [from, to] = [quoted(`a/${path}`), quoted(`b/${path}`)];
  // A tab ends a name that has a space, as git writes it.
  const end = /\s/.test(path) ? '\t' : '';
  return `diff --git ${from} ${to}\n--- ${from}${end}\n+++ ${to}${end}\n${lines.join('\n')}\n`;
}

/** Names beyond plain ASCII as git writes them: in quotation marks, their bytes in octal. */
function quoted(name: string): string {
  if (!/[^ -~]|["\\]/.test(name)) return name;
  const bytes = [...Buffer.from(name)].map((byte) => {
    const c = String.fromCharCode(byte);
    if (c === '"' || c === '\\') return `\\${c}`;
    return byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, '0')}` : c;
  });
  return `"${bytes.join('')}"`;
}
