/** The edge: a port whose requests the app answers, and how it closes. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { InputError } from '../base/errors.ts';
import { errorCode } from '../base/files.ts';
import { linger } from './http/linger.ts';

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Takes no new connections; resolved when all requests that came are answered. */
  close(): Promise<void>;
}

/** Milliseconds for a request's head, and for all of it: slower senders hold room that others could have. */
const headersTimeout = 20_000;
const requestTimeout = 120_000;

/** How often connections that have become idle are closed, when the server closes. */
const sweepInterval = 50;

/** @throws InputError when the address cannot be had */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  host: string,
  port: number,
): Promise<Listening> {
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
  const server = createServer({ headersTimeout, requestTimeout }, (incoming, outgoing) => {
    linger(incoming);
    return listener(incoming, outgoing);
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw describe(error, host, port);
  }
  const address = server.address();
  const found = typeof address === 'object' && address ? address.port : port;
  return { host, port: found, close: () => close(server) };
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Those that were busy become idle when they have their answer.
  const sweep = setInterval(() => server.closeIdleConnections(), sweepInterval);
  await closed;
  clearInterval(sweep);
}

function describe(error: unknown, host: string, port: number): unknown {
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return new InputError(
        `--port ${port}: another program listens there; choose another, or 0 for any that is free.`,
      );
    case 'EACCES':
      return new InputError(
        `--port ${port}: no permission to listen there; choose one above 1023.`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new InputError(`--host ${host}: this is no address of this machine.`);
    default:
      return error;
  }
}
