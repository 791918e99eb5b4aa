/** The files of a built page, held in memory. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

interface StaticFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** Files by the path that they are asked for by. */
export type StaticFiles = ReadonlyMap<string, StaticFile>;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/** Where builds put the pages. */
export const pageFolders: readonly string[] = ['../../dist/web/', '../../web/dist/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/**
 * The page in the first of the folders that has it, or undefined where none has.
 * @param name which of the built pages stands at /
 */
export async function readPage(
  folders: readonly string[],
  name = 'index.html',
): Promise<StaticFiles | undefined> {
  for (const folder of folders) {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
    const files = new Map<string, StaticFile>();
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const type = types[extname(entry.name)];
      // Such as source maps: nothing that a browser needs.
      if (type === undefined || (extname(entry.name) === '.html' && entry.name !== name)) continue;
      const bytes = new Uint8Array(await readFile(path));
      files.set(`/${relative(folder, path).split(sep).join('/')}`, { bytes, type });
    }
    const index = files.get(`/${name}`);
    if (index) return files.set('/', index);
  }
  return undefined;
}

/** Nothing from elsewhere, and nothing of the page in others'. */
export const contentSecurityPolicy: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // The icon, and thumbnails.
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The file as a response. Names under /assets/ hold a hash of the content, and may be kept. */
export function staticResponse({ bytes, type }: StaticFile, path: string): Response {
  return new Response(bytes, {
    headers: {
      'content-type': type,
      'content-security-policy': contentSecurityPolicy,
      'cache-control': path.startsWith('/assets/')
        ? 'public, max-age=31536000, immutable'
        : 'no-cache',
    },
  });
}
