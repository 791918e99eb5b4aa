/**
 * Which hosts and origins a request may name. A web page elsewhere can have its own name point here (DNS rebinding),
 * or send requests that it cannot read the answers of: neither may make this machine work.
 */
import { isIP } from 'node:net';
import { HttpError } from '../http/errors.ts';

export interface AddressRules {
  /** The server can be reached from this machine alone. */
  readonly isLoopback: boolean;
  /** A token is asked for, which a strange page does not know. */
  readonly hasToken: boolean;
  /** Origins of web pages elsewhere that may use the server; `*` for all. */
  readonly cors: readonly string[];
}

/** Whether an address or name is that of this machine. */
export function isLoopbackHost(host: string): boolean {
  const name = bare(host);
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    /^127(\.\d+){3}$/.test(name)
  );
}

/** A host without its port, brackets and last dot, in lower case. */
function bare(host: string): string {
  const name = isIP(host) === 6 ? host : host.replace(/:\d+$/, '');
  return name
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

/** Names that no public name server answers for. */
const privateName = /^[^.]+$|\.(?:local|internal|lan|home\.arpa|localhost)$/;

/** @throws HttpError 403 where the request came under another name than the server's */
export function checkHost(host: string, { isLoopback, hasToken }: AddressRules): void {
  if (hasToken || isLoopbackHost(host)) return;
  const name = bare(host);
  if (!isLoopback && (isIP(name) !== 0 || privateName.test(name))) return;
  throw new HttpError(
    403,
    isLoopback
      ? 'This server answers requests to localhost alone; start it with --host and --token for others.'
      : 'Without a token this server answers requests to addresses and local names alone; start it with --token.',
  );
}

/** @throws HttpError 403 for a page of another origin that was not allowed by --cors */
export function checkOrigin(
  origin: string | undefined,
  host: string,
  { cors }: AddressRules,
): void {
  if (origin === undefined || cors.includes('*') || cors.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === host.toLowerCase()) return;
  throw new HttpError(
    403,
    'Pages of other origins may not use this server; start it with --cors and their origin.',
  );
}
