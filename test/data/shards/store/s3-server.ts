/** A small S3 that checks signatures by AWS's rules (Signature Version 4), and fails when it is told to. */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export const keys = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();

const encodeName = (name: string): string =>
  encodeURIComponent(decodeURIComponent(name)).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** Whether a request is signed with the keys, as "Authenticating Requests (AWS Signature Version 4)" says. */
function isSigned(request: IncomingMessage, body: Buffer): boolean {
  const { authorization = '', ...headers } = request.headers;
  const [, id, scope = '', signed = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(
      authorization,
    ) ?? [];
  const payload = String(headers['x-amz-content-sha256']);
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== sha256(body)) return false;
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
  const canonical = [
    request.method,
    // Each name decoded, and encoded by RFC 3986.
    pathname.split('/').map(encodeName).join('/'),
    [...searchParams].map(([a, b]) => `${a}=${b}`).join('&'),
    ...signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signed,
    payload,
  ].join('\n');
  const date = String(headers['x-amz-date']);
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${keys.secret}`);
  return id === keys.id && hmac(key, text).toString('hex') === signature;
}

/** A status, a body of which half or nothing arrives, or no fault. */
export type Fault = number | 'break' | 'nothing' | 'none';

export interface FakeStore {
  readonly url: string;
  /** Content by path, such as bucket/key. */
  readonly objects: Map<string, Buffer>;
  /** What was asked, such as 'GET bucket/key bytes=5-'. */
  readonly asked: string[];
  /** Answers to the next requests in the place of what they ask for. */
  readonly faults: Fault[];
  close(): Promise<void>;
}

/** @param isOpen takes requests that are not signed, too */
export async function startStore(isOpen = false): Promise<FakeStore> {
  const objects = new Map<string, Buffer>();
  const asked: string[] = [];
  const faults: Fault[] = [];
  const refuse = (response: ServerResponse, status: number, code: string): void => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
  };
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const path = decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname).slice(1);
    const { range } = request.headers;
    asked.push([request.method, path, ...(range ? [range] : [])].join(' '));
    const fault = faults.shift();
    if (typeof fault === 'number') return refuse(response, fault, 'SlowDown');
    if (!isOpen && !isSigned(request, body)) return refuse(response, 403, 'SignatureDoesNotMatch');
    if (request.method === 'PUT') {
      if (request.headers['if-none-match'] === '*' && objects.has(path))
        return refuse(response, 412, 'PreconditionFailed');
      objects.set(path, body);
      return response.end();
    }
    const content = objects.get(path);
    if (!content) return refuse(response, 404, 'NoSuchKey');
    const etag = `"${sha256(content).slice(0, 32)}"`;
    const wanted = request.headers['if-match'];
    if (wanted !== undefined && wanted !== etag) return refuse(response, 412, 'PreconditionFailed');
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const part = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, { etag, 'content-length': part.length });
    if (request.method === 'HEAD') return response.end();
    if (fault === 'nothing') {
      response.flushHeaders();
      return setTimeout(() => response.destroy(), 10);
    }
    if (fault !== 'break') return response.end(part);
    response.write(part.subarray(0, Math.ceil(part.length / 2)), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}`, objects, asked, faults },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** The variables that lead to the store. */
export function environmentOf({ url }: FakeStore, cache: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: keys.id,
    AWS_SECRET_ACCESS_KEY: keys.secret,
    AWS_REGION: 'eu-west-3',
    REFCAP_CACHE: cache,
  };
}
