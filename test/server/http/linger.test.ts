/** Requests that are answered before all of them has come: their clients can read the answer, and are not waited for without end. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type LingerLimits, linger } from '../../../src/server/http/linger.ts';
import { base64, json, running } from '../app.ts';

const piece = Buffer.alloc(1000);
const pieces = 8;
const png = `Content-Type: image/png\r\nContent-Length: ${pieces * piece.length}\r\n`;

interface Refused {
  readonly socket: Socket;
  readonly answer: string;
}

/** Sends a head and one piece of the body, and reads until the server has no more to say. */
async function ask(port: number, head: string, first = piece): Promise<Refused> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let answer = '';
  socket.setEncoding('latin1').on('data', (text) => {
    answer += text;
  });
  socket.on('error', () => {});
  socket.write(`POST /v1/captions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${head}\r\n`);
  socket.write(first);
  await once(socket, 'end');
  return { socket, answer };
}

/** Whether the other side takes so many bytes more. */
async function takes({ socket }: Refused, bytes: Buffer): Promise<boolean> {
  const error = await new Promise((resolve) => socket.write(bytes, resolve));
  // A reset is the answer to what was written, and comes after it.
  await sleep(10);
  return !error && !socket.destroyed;
}

async function takesAll(refused: Refused, count: number): Promise<boolean> {
  for (let i = 0; i < count; i++) if (!(await takes(refused, piece))) return false;
  return true;
}

describe('a request that is refused while its body is on its way', () => {
  it.each<[string, string, number]>([
    ['a body that is too large', png.replace('Length: ', 'Length: 99'), 413],
    ['no token', png, 401],
    ['another origin', `${png}Origin: http://elsewhere.example\r\n`, 403],
  ])('is answered, and the rest of it taken: %s', async (kind, head, status) => {
    const { port, close } = await running(kind === 'no token' ? { token: 'secret' } : {});
    const refused = await ask(port, head);
    expect(refused.answer).toMatch(new RegExp(`^HTTP/1.1 ${status} .*}$`, 's'));
    expect(await takesAll(refused, pieces - 1)).toBe(true);
    refused.socket.destroy();
    await close();
  });

  it('is answered, and the rest of it taken: a full queue', async () => {
    const { url, port, service, close } = await running({}, { queue: 1 });
    const ticket = service.enter();
    const refused = await ask(port, png);
    expect(refused.answer).toMatch(/^HTTP\/1.1 503 .*retry-after: 1\r\n.*}$/s);
    expect(await takesAll(refused, pieces - 1)).toBe(true);
    ticket[Symbol.dispose]();
    expect((await fetch(`${url}/v1/captions`, json({ image: base64('a') }))).status).toBe(200);
    await close();
  });

  it('is answered, and the rest of it taken: more than it may have, of a length that it does not tell', async () => {
    const { port, close } = await running({ maxBody: 500 });
    const chunk = Buffer.concat([Buffer.from('3e8\r\n'), piece, Buffer.from('\r\n')]);
    const refused = await ask(port, 'Transfer-Encoding: chunked\r\n', chunk);
    expect(refused.answer).toMatch(/^HTTP\/1.1 413 /);
    for (let i = 0; i < 20; i++) expect(await takes(refused, chunk)).toBe(true);
    refused.socket.destroy();
    await close();
  });

  it('is over with its last byte', async () => {
    const { port, close } = await running({ token: 'secret' });
    const refused = await ask(port, png);
    refused.socket.write(Buffer.alloc((pieces - 1) * piece.length));
    await close();
    await expect.poll(() => takes(refused, piece)).toBe(false);
  });

  it.each<[string, LingerLimits]>([
    ['silence', { silence: 50, longest: 60_000 }],
    ['all', { silence: 60_000, longest: 50 }],
  ])('is waited for no longer than the limit of %s', async (_, limits) => {
    const server = createServer((incoming, outgoing) => {
      linger(incoming, limits);
      outgoing.end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('no port');
    const refused = await ask(address.port, png);
    expect(await takes(refused, piece)).toBe(true);
    const closed = once(server, 'close');
    server.close();
    await closed;
    await expect.poll(() => takes(refused, piece)).toBe(false);
  });
});
