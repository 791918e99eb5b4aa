/** Fetches pictures from public addresses: limits on bytes, time and redirects, no private networks. */
import { lookup as resolveName } from 'node:dns';
import { get as getHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { get as getHttps } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { InputError } from '../../base/errors.ts';
import { defaultMaxBytes } from '../../data/images/decode.ts';

export interface FetchOptions {
  readonly maxBytes?: number;
  /** Milliseconds without a byte before giving up. Default 30,000. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Whether an IP address may be reached. Default: public ones. */
  readonly isAllowed?: (address: string) => boolean;
}

const mostRedirects = 5;

const privateAddresses = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  privateAddresses.addSubnet(network, bits, 'ipv4');
// Of IPv6 only 2000::/3 is global; in it, tunnels and documentation are left out.
const globalV6 = new BlockList();
globalV6.addSubnet('2000::', 3, 'ipv6');
const specialV6 = new BlockList();
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  specialV6.addSubnet(network, bits, 'ipv6');

/** Whether an IP address belongs to the public internet. */
export function isPublicAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  if (isIP(plain) === 4) return !privateAddresses.check(plain, 'ipv4');
  if (isIP(plain) !== 6) return false;
  return globalV6.check(plain, 'ipv6') && !specialV6.check(plain, 'ipv6');
}

/**
 * Fetches the bytes behind an http(s) address. Every hop's name is resolved once, checked, and that
 * very address connected to.
 * @throws InputError naming the address and the reason
 */
export async function fetchImage(address: string, options: FetchOptions = {}): Promise<Uint8Array> {
  let url = parseUrl(address, address);
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const response = await request(url, address, options);
    const { statusCode = 0, headers } = response;
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      response.destroy();
      if (!URL.canParse(headers.location, url.href))
        throw new InputError(`${address}: the server sends on to what is no address.`);
      url = parseUrl(new URL(headers.location, url).href, address);
      continue;
    }
    if (statusCode !== 200) {
      response.destroy();
      throw new InputError(`${address}: the server answers ${statusCode}.`);
    }
    return readBody(response, address, options.maxBytes ?? defaultMaxBytes);
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

function request(url: URL, name: string, options: FetchOptions): Promise<IncomingMessage> {
  const { isAllowed = isPublicAddress, timeout = 30_000, signal } = options;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isAllowed(host)) return Promise.reject(refusal(name));
  const lookup: LookupFunction = (hostname, settings, callback) => {
    resolveName(hostname, { ...settings, all: true }, (error, found) => {
      if (error) return callback(error, '');
      if (found.length === 0 || !found.every((one) => isAllowed(one.address)))
        return callback(refusal(name), '');
      if (settings.all) callback(null, found);
      else callback(null, found[0].address, found[0].family);
    });
  };
  const settings: RequestOptions = {
    lookup,
    timeout,
    headers: { accept: 'image/*', 'user-agent': 'refcap' },
    ...(signal && { signal }),
  };
  return new Promise((resolve, reject) => {
    const get = url.protocol === 'https:' ? getHttps : getHttp;
    const sent = get(url, settings, resolve);
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${timeout / 1000} s`)));
    sent.on('error', (error) => {
      if (error instanceof InputError || signal?.aborted) reject(error);
      else reject(new InputError(`${name}: it cannot be fetched (${error.message}).`));
    });
  });
}

async function readBody(
  response: IncomingMessage,
  name: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const tooLarge = () =>
    new InputError(`${name}: more bytes than the limit of ${maxBytes.toLocaleString('en')}.`);
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) {
    response.destroy();
    throw tooLarge();
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > maxBytes) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    response.destroy();
    if (error instanceof InputError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${name}: the transfer broke off (${reason}).`);
  }
  return Buffer.concat(parts);
}
