/** Connections to Redis or Valkey. */
import { Redis } from 'ioredis';
import { InputError, UsageError } from '../../base/errors.ts';

/** Where a queue is. */
export interface QueueAddress {
  /** redis://host:port/database, or rediss:// by TLS; with a user and a password where the server wants them. */
  readonly redis: string;
  /** Several queues may be on one server. */
  readonly queue: string;
}

/** The address as messages show it: without a password. */
export function shownAddress(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href.replace(/\/$/, '');
}

/**
 * Connects once. Later the connection is made anew whenever it breaks, with `keepTrying`; commands wait until it is.
 * @param onBreak told when the connection breaks and is to be made anew
 * @throws UsageError for what is no address; InputError when nobody answers there, or the server refuses
 */
export async function connect(
  address: string,
  keepTrying: boolean,
  onBreak: (sentence: string) => void = () => undefined,
): Promise<Redis> {
  if (!/^rediss?:\/\/./i.test(address) || !URL.canParse(address))
    throw new UsageError('--redis (or REDIS_URL): write the address as redis://host:6379.');
  const shown = shownAddress(address);
  let fault: Error | undefined;
  let isOpen = false;
  const client = new Redis(address, {
    lazyConnect: true,
    // A command that waits for the server to come back must not give up; BullMQ asks for it, too.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (isOpen && keepTrying ? Math.min(100 * 2 ** times, 5000) : null),
  });
  client.on('error', (error: Error) => {
    fault = error;
  });
  let isBroken = false;
  client.on('reconnecting', () => {
    if (!isBroken) onBreak(`${shown}: the connection is lost; trying again.`);
    isBroken = true;
  });
  client.on('ready', () => {
    isBroken = false;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    client.disconnect();
    throw refusal(shown, fault ?? error);
  }
  isOpen = true;
  return client;
}

function refusal(shown: string, error: unknown): InputError {
  const reason = error instanceof Error ? error.message : String(error);
  if (/^(?:NOAUTH|WRONGPASS|NOPERM)|invalid password|AUTH/.test(reason))
    return new InputError(
      `${shown}: the server refuses (${reason}); give user and password in REDIS_URL, as redis://user:password@host:6379.`,
    );
  return new InputError(
    `${shown}: no Redis or Valkey answers (${reason}); start one there, or name another by --redis or REDIS_URL.`,
  );
}
