/** Fetches pictures from public addresses: limits on bytes, time and redirects, no private networks. */
import { lookup as resolveName } from 'node:dns';
import {
  get as getHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { get as getHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { request as requestUndici } from 'undici';
import { InputError } from '../../base/errors.ts';
import { describeFault, proxyAgent, proxyFor } from '../../base/proxy.ts';
import { defaultMaxBytes } from '../../data/images/decode.ts';
import { isPublicAddress, mayBePublic } from './public.ts';

export interface FetchOptions {
  readonly maxBytes?: number;
  /** Milliseconds without a byte before giving up. Default 30,000. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Whether an IP address may be reached. Default: public ones. */
  readonly isAllowed?: (address: string) => boolean;
  /** Where proxies are named. Default: process.env. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A server's answer, before its body is read. */
interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly length: number;
  readonly body: Readable;
}

const mostRedirects = 5;

/**
 * Fetches the bytes behind an http(s) address. Every hop's name is resolved once, checked, and that
 * very address connected to. Behind a proxy (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY) it is the proxy that resolves names
 * and connects: then names that have no dot, or that this machine resolves to a private address, are refused here.
 * @throws InputError naming the address and the reason
 */
export async function fetchImage(address: string, options: FetchOptions = {}): Promise<Uint8Array> {
  let url = parseUrl(address, address);
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const proxy = proxyFor(url, options.env);
    const answer = await (proxy
      ? requestBy(proxy, url, address, options)
      : request(url, address, options));
    const { status, location, body } = answer;
    if (status >= 300 && status < 400 && location !== undefined) {
      discard(body);
      if (!URL.canParse(location, url.href))
        throw new InputError(`${address}: the server sends on to what is no address.`);
      url = parseUrl(new URL(location, url).href, address);
      continue;
    }
    if (status !== 200) {
      discard(body);
      const through = proxy ? ` (through the proxy ${proxy.host})` : '';
      throw new InputError(`${address}: the server answers ${status}${through}.`);
    }
    return readBody(answer, address, options.maxBytes ?? defaultMaxBytes);
  }
  throw new InputError(`${address}: more than ${mostRedirects} redirects.`);
}

function parseUrl(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new InputError(`${name}: this is not an http(s) address.`);
  if (url.username !== '' || url.password !== '')
    throw new InputError(`${name}: addresses with a user name are refused.`);
  return url;
}

function refusal(name: string): InputError {
  return new InputError(
    `${name}: it leads to a private or reserved network address, which is refused.`,
  );
}

const requestHeaders = { accept: 'image/*', 'user-agent': 'refcap' };

/** Ends an answer whose body nobody wants. */
function discard(body: Readable): void {
  body.on('error', () => {});
  body.destroy();
}

function request(url: URL, name: string, options: FetchOptions): Promise<Answer> {
  const { isAllowed = isPublicAddress, timeout = 30_000, signal } = options;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isAllowed(host)) return Promise.reject(refusal(name));
  const lookupAllowed: LookupFunction = (hostname, settings, callback) => {
    resolveName(hostname, { ...settings, all: true }, (error, found) => {
      if (error) return callback(error, '');
      if (found.length === 0 || !found.every((one) => isAllowed(one.address)))
        return callback(refusal(name), '');
      if (settings.all) callback(null, found);
      else callback(null, found[0].address, found[0].family);
    });
  };
  const settings: RequestOptions = {
    lookup: lookupAllowed,
    timeout,
    headers: requestHeaders,
    ...(signal && { signal }),
  };
  return new Promise((resolve, reject) => {
    const get = url.protocol === 'https:' ? getHttps : getHttp;
    const sent = get(url, settings, (body: IncomingMessage) => {
      const { statusCode: status = 0, headers } = body;
      resolve({ status, location: headers.location, length: lengthOf(headers), body });
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${timeout / 1000} s`)));
    sent.on('error', (error) => {
      if (error instanceof InputError || signal?.aborted) reject(error);
      else reject(new InputError(`${name}: it cannot be fetched (${error.message}).`));
    });
  });
}

async function requestBy(
  proxy: URL,
  url: URL,
  name: string,
  { isAllowed = isPublicAddress, timeout = 30_000, signal }: FetchOptions,
): Promise<Answer> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!(await mayBePublic(host, isAllowed))) throw refusal(name);
  try {
    const { statusCode, headers, body } = await requestUndici(url, {
      dispatcher: proxyAgent(proxy),
      headers: requestHeaders,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      ...(signal && { signal }),
    });
    const { location } = headers;
    return {
      status: statusCode,
      location: typeof location === 'string' ? location : undefined,
      length: lengthOf(headers),
      body,
    };
  } catch (error) {
    if (signal?.aborted) throw error;
    const fault = describeFault(error, proxy);
    const reason = fault instanceof Error ? fault.message : String(fault);
    throw new InputError(`${name}: it cannot be fetched (${reason}).`);
  }
}

function lengthOf(headers: IncomingHttpHeaders): number {
  return Number(headers['content-length'] ?? 0);
}

async function readBody(
  { body, length }: Answer,
  name: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const tooLarge = () =>
    new InputError(`${name}: more bytes than the limit of ${maxBytes.toLocaleString('en')}.`);
  if (length > maxBytes) {
    discard(body);
    throw tooLarge();
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of body as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > maxBytes) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    discard(body);
    if (error instanceof InputError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${name}: the transfer broke off (${reason}).`);
  }
  return Buffer.concat(parts);
}
