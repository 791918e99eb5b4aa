/** A server of a page, its scripts and a model, which can fail on request. */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import { repositoryRoot } from '../paths.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

/** Scripts of a page, by their paths: its own, which uses refcap/web, and the worker. @param page its file, from here */
export function bundlePage(page: string): Promise<Map<string, Uint8Array>> {
  return bundle({ page: join(import.meta.dirname, page) });
}

/** @param entries scripts by their names, beside the worker */
export async function bundle(
  entries: Readonly<Record<string, string>>,
): Promise<Map<string, Uint8Array>> {
  const { outputFiles, warnings } = await build({
    entryPoints: {
      ...entries,
      'worker/worker': join(repositoryRoot, 'src/browser/worker/worker.ts'),
    },
    alias: { 'refcap/web': join(repositoryRoot, 'src/browser/index.ts') },
    bundle: true,
    splitting: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    outdir: '/',
    write: false,
    logLevel: 'silent',
  });
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join('\n'));
  return new Map(outputFiles.map(({ path, contents }) => [path, contents]));
}

export interface Request {
  readonly path: string;
  readonly range: string | undefined;
}

export class ModelServer {
  /** Where paths lead: the longest prefix that fits, to a folder. */
  readonly folders = new Map<string, string>();
  /** Requests for files of folders. */
  readonly requests: Request[] = [];
  /** Whether pages are cross-origin isolated. */
  isIsolated = false;
  /** Whether requests for files of folders are answered by 503. */
  isDown = false;
  /** What the page holds. */
  content = '<!doctype html><title>refcap</title><script type="module" src="/page.js"></script>';
  /** Changes what is sent of a file. */
  change: (path: string, bytes: Uint8Array) => Uint8Array = (_, bytes) => bytes;
  /** Bytes of a file after which the connection breaks off, for the next request that has more. */
  breakAfter: number | undefined;
  readonly #scripts: ReadonlyMap<string, Uint8Array>;
  readonly #server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    this.#answer(pathname, request.headers.range, response);
  });

  constructor(scripts: ReadonlyMap<string, Uint8Array>) {
    this.#scripts = scripts;
  }

  /** @returns its address */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const bound = this.#server.address();
    if (typeof bound !== 'object' || bound === null) throw new Error('the server has no port');
    return `http://127.0.0.1:${bound.port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(path: string, range: string | undefined, response: ServerResponse): void {
    response.setHeader(
      'content-type',
      types[extname(path) || '.html'] ?? 'application/octet-stream',
    );
    if (this.isIsolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    const own = this.#own(path);
    if (own) {
      response.end(own);
      return;
    }
    this.requests.push({ path, range });
    const bytes = this.isDown ? undefined : this.#file(path);
    if (!bytes) {
      response.writeHead(this.isDown ? 503 : 404).end();
      return;
    }
    this.#send(this.change(path, bytes), range, response);
  }

  /** The page and its scripts. */
  #own(path: string): Uint8Array | undefined {
    if (path === '/') return new TextEncoder().encode(this.content);
    const wasm = /^\/(ort-[\w.-]+\.wasm)$/.exec(path)?.[1];
    if (wasm) return readFileSync(join(repositoryRoot, 'node_modules/onnxruntime-web/dist', wasm));
    return this.#scripts.get(path);
  }

  #file(path: string): Uint8Array | undefined {
    const [prefix] = [...this.folders.keys()]
      .filter((one) => path.startsWith(one))
      .sort((a, b) => b.length - a.length);
    const folder = prefix === undefined ? undefined : this.folders.get(prefix);
    if (prefix === undefined || folder === undefined) return undefined;
    try {
      return readFileSync(join(folder, path.slice(prefix.length)));
    } catch {
      return undefined;
    }
  }

  #send(bytes: Uint8Array, range: string | undefined, response: ServerResponse): void {
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const part = bytes.subarray(start);
    if (start > 0)
      response.setHeader('content-range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': part.length });
    const most = this.breakAfter;
    if (most === undefined || part.length <= most) {
      response.end(part);
      return;
    }
    this.breakAfter = undefined;
    response.write(part.subarray(0, most), () => setTimeout(() => response.destroy(), 100));
  }
}
