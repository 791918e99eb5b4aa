/** Which files a run of the command loads, as V8's coverage lists them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repositoryRoot } from '../paths.ts';
import { runRefcap } from './refcap.ts';

/** What the command and its worker threads load. @throws where it fails */
export function loadedFiles(...args: string[]): { files: string[]; packages: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-loaded-'));
  try {
    const { status, stderr } = runRefcap(args, { env: { NODE_V8_COVERAGE: folder } });
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
    const paths = readdirSync(folder).flatMap((name) => scriptsOf(join(folder, name)));
    const inside = (part: string): string[] =>
      paths
        .filter((path) => path.startsWith(`${part}/`))
        .map((path) => path.slice(part.length + 1));
    const packages = inside('node_modules').map((path) => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
    return {
      files: [...new Set(inside('dist'))].sort(),
      packages: [...new Set(packages.filter((name) => name !== undefined))].sort(),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The paths of the files in a list, from the repository on. */
function scriptsOf(list: string): string[] {
  const { result }: { result: { url: string }[] } = JSON.parse(readFileSync(list, 'utf8'));
  return result
    .filter(({ url }) => url.startsWith('file:'))
    .map(({ url }) => relative(repositoryRoot, fileURLToPath(url)).split(sep).join('/'));
}
