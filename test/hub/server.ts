/** A model hub on 127.0.0.1 as the tests need it: API, redirects to a second origin, and ways to fail. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HubFile {
  readonly content: Buffer;
  /** Large files are redirected to the second origin and named by their SHA-256. */
  readonly large?: boolean;
}

export interface Request {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export const commit = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00';
export const modelId = 'owner/tiny-blip';

export class FakeHub {
  files = new Map<string, HubFile>();
  /** Files of further models, by id. */
  readonly others = new Map<string, Map<string, HubFile>>();
  requests: Request[] = [];
  /** By file: bytes after which each of its next answers is cut off. */
  readonly cuts = new Map<string, number[]>();
  /** Answers given instead of the next ones, by status and headers. */
  failures: { status: number; headers?: Record<string, string> }[] = [];
  /** The token without which everything answers 401. */
  token: string | undefined;
  ignoreRanges = false;
  /** What is sent in place of a file's content. */
  readonly damaged = new Map<string, Buffer>();
  url = '';
  private cdnUrl = '';
  private readonly servers: Server[] = [];

  async start(): Promise<void> {
    this.url = await this.listen((request, response) => this.answer(request, response));
    this.cdnUrl = await this.listen((request, response) => this.answerContent(request, response));
  }

  async stop(): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** The file's name among the cache's blobs. */
  hash(name: string, files = this.files): string {
    const file = files.get(name);
    if (!file) throw new Error(name);
    if (file.large) return createHash('sha256').update(file.content).digest('hex');
    const head = `blob ${file.content.length}\0`;
    return createHash('sha1').update(head).update(file.content).digest('hex');
  }

  private async listen(
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<string> {
    const server = createServer(handler);
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  private note(request: IncomingMessage): string {
    const path = new URL(request.url ?? '', 'http://x').pathname;
    const { range, authorization } = request.headers;
    this.requests.push({ path, range, authorization });
    return path;
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = this.note(request);
    const failure = this.failures.shift();
    if (failure) {
      response.writeHead(failure.status, failure.headers).end('no');
      return;
    }
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`) {
      response.writeHead(401, { 'x-error-code': 'RepoNotFound' }).end('no');
      return;
    }
    const json = (value: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const [, id = ''] = /^\/(?:api\/models\/)?([^/]+\/[^/]+)/.exec(path) ?? [];
    const files = this.filesOf(id);
    if (!files) response.writeHead(404, { 'x-error-code': 'RepoNotFound' }).end('no');
    else if (path === `/api/models/${id}/revision/main`) json({ _id: '1', id, sha: commit });
    else if (path === `/api/models/${id}/tree/${commit}`) json(this.tree(files));
    else if ([commit, 'main'].some((at) => path.startsWith(`/${id}/resolve/${at}/`)))
      this.resolve(id, files, path, request, response);
    else response.writeHead(404, { 'x-error-code': 'RevisionNotFound' }).end('no');
  }

  private filesOf(id: string): Map<string, HubFile> | undefined {
    return id === modelId ? this.files : this.others.get(id);
  }

  private tree(files: Map<string, HubFile>): unknown[] {
    return [...files].map(([path, { content, large }]) => {
      const oid = this.hash(path, files);
      return {
        type: 'file',
        path,
        size: content.length,
        oid: large ? '0'.repeat(40) : oid,
        ...(large ? { lfs: { oid, size: content.length, pointerSize: 130 } } : {}),
      };
    });
  }

  private resolve(
    id: string,
    files: Map<string, HubFile>,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const name = decodeURIComponent(path.split('/').at(-1) ?? '');
    const file = files.get(name);
    const hash = file ? this.hash(name, files) : '';
    const headers = {
      'x-repo-commit': commit,
      etag: `"${hash}"`,
      ...(file?.large ? { 'x-linked-etag': `"${hash}"` } : {}),
      'x-linked-size': String(file?.content.length),
    };
    if (!file) response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end('no');
    else if (file.large)
      response
        .writeHead(302, {
          ...headers,
          location: `${this.cdnUrl}/${id === modelId ? '' : `${id}/`}${name}`,
        })
        .end();
    else this.send(name, file, request, response, headers);
  }

  private answerContent(request: IncomingMessage, response: ServerResponse): void {
    const path = this.note(request).slice(1);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const files = path === name ? this.files : this.filesOf(path.slice(0, -name.length - 1));
    const file = files?.get(name);
    if (file) this.send(name, file, request, response, {});
    else response.writeHead(404).end();
  }

  private send(
    name: string,
    file: HubFile,
    request: IncomingMessage,
    response: ServerResponse,
    headers: Record<string, string>,
  ): void {
    const content = this.damaged.get(name) ?? file.content;
    const range = this.ignoreRanges ? undefined : /^bytes=(\d+)-/.exec(request.headers.range ?? '');
    const start = Number(range?.[1] ?? 0);
    const body = content.subarray(start);
    response.writeHead(range ? 206 : 200, {
      ...headers,
      'content-length': body.length,
      ...(range
        ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }
        : {}),
    });
    const cut = request.method === 'HEAD' ? undefined : this.cuts.get(name)?.shift();
    if (cut === undefined) response.end(body);
    else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  }
}
