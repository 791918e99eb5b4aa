/** Requests to stores of objects: http(s) addresses as they are, s3:// signed by the usual AWS variables; tried again where that may help. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsClient } from 'aws4fetch';
import { InputError } from '../../../base/errors.ts';
import { environmentFetch } from '../../../base/proxy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface StoreOptions {
  /** Default: the process's. */
  readonly env?: Environment;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds before the second attempt; doubled each time. Default 500. */
  readonly retryDelay?: number;
}

export interface StoreRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** Attempts in all. */
const attempts = 5;

/** Answers after which the same request may succeed. */
const passing: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Sends a request; what fails in passing is tried five times.
 * @param accepted answers that are no failure beside those of success
 * @throws InputError naming the address: no such object, refused, or the store fails; the signal's reason when aborted
 */
export async function storeRequest(
  address: string,
  request: StoreRequest,
  options: StoreOptions = {},
  accepted: readonly number[] = [],
): Promise<Response> {
  const { env = process.env, signal, retryDelay = 500 } = options;
  const send = await sender(address, env);
  for (let attempt = 1; ; attempt++) {
    let fault: string;
    let wait = retryDelay * 2 ** (attempt - 1);
    try {
      const response = await send(request, signal);
      if (response.ok || accepted.includes(response.status)) return response;
      const text = request.method === 'HEAD' ? '' : await response.text();
      if (!passing.has(response.status)) throw refusal(address, response.status, text);
      fault = `the store answers ${response.status}`;
      wait = Math.max(wait, 1000 * Number(response.headers.get('retry-after')) || 0);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof InputError) throw error;
      fault = `the store cannot be reached (${reasonOf(error)})`;
    }
    if (attempt === attempts)
      throw new InputError(`${address}: ${fault}, ${attempts} times; try again later.`);
    await sleep(Math.min(wait, 30_000), undefined, { signal });
  }
}

/** What went wrong at the bottom of it. */
export function reasonOf(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause.message : String(cause);
}

function refusal(address: string, status: number, text: string): InputError {
  const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1];
  const said = code === undefined ? `${status}` : `${status} ${code}`;
  if (status === 404) return new InputError(`${address}: there is no such object (${said}).`);
  if (status === 401 || status === 403)
    return new InputError(
      address.startsWith('s3:')
        ? `${address}: the store refuses (${said}); check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL.`
        : `${address}: the server refuses (${said}); the address must be readable without a password.`,
    );
  return new InputError(`${address}: the store answers ${said}.`);
}

type Send = (request: StoreRequest, signal: AbortSignal | undefined) => Promise<Response>;

async function sender(address: string, env: Environment): Promise<Send> {
  const fetch = environmentFetch(env);
  const url = urlOf(address, env);
  const client = /^s3:/i.test(address) ? await signer(env) : undefined;
  return async ({ method, headers = {}, body }, signal) => {
    const init = { method, headers: { ...headers }, ...(body && { body }) };
    const signed = client ? await client.sign(url, init) : new Request(url, init);
    return fetch(signed, signal ? { signal } : {});
  };
}

/** Without keys, requests are not signed: for buckets that are open to all. */
async function signer(env: Environment): Promise<AwsClient | undefined> {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env;
  if (!id && !secret) return undefined;
  if (!id || !secret)
    throw new InputError(
      `${id ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID'} is not set, but its other half is; set both, or none for open buckets.`,
    );
  const { AwsClient } = await import('aws4fetch');
  return new AwsClient({
    accessKeyId: id,
    secretAccessKey: secret,
    service: 's3',
    region: regionOf(env),
    // Tried again here, where it is told.
    retries: 0,
    ...(token && { sessionToken: token }),
  });
}

function regionOf(env: Environment): string {
  return env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1';
}

/** As AWS encodes: RFC 3986, which has fewer characters as they are than encodeURIComponent. */
function encodePart(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * The http address of an object: below AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, else Amazon's.
 * @throws InputError where the address names no object or the variable is no address
 */
export function urlOf(address: string, env: Environment): string {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/i.exec(address) ?? [];
  if (!/^s3:/i.test(address)) return address;
  if (bucket === undefined || key === undefined)
    throw new InputError(`${address}: write it as s3://bucket/key.`);
  const path = key.split('/').map(encodePart).join('/');
  const name = env.AWS_ENDPOINT_URL_S3 ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL';
  const endpoint = env[name];
  if (!endpoint) return `https://${bucket}.s3.${regionOf(env)}.amazonaws.com/${path}`;
  if (!/^https?:\/\//i.test(endpoint) || !URL.canParse(endpoint))
    throw new InputError(`${name}: this is no address; write it as https://host:port.`);
  return `${endpoint.replace(/\/+$/, '')}/${bucket}/${path}`;
}
