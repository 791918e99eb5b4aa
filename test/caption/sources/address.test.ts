import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchImage, isPublicAddress } from '../../../src/caption/sources/address.ts';

describe('isPublicAddress', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '192.169.0.1',
    '2606:4700:4700::1111',
    '::ffff:8.8.8.8',
  ])('%s is public', (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'localhost',
  ])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('fetchImage', () => {
  let server: Server;
  let base: string;
  const answers: Record<string, (response: ServerResponse) => void> = {
    '/picture': (response) => response.end('bytes'),
    '/moved': (response) => response.writeHead(302, { location: '/picture' }).end(),
    '/inside': (response) => response.writeHead(302, { location: 'http://10.0.0.1/x' }).end(),
    '/file': (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    '/nowhere': (response) => response.writeHead(302, { location: 'http://' }).end(),
    '/round': (response) => response.writeHead(302, { location: '/round' }).end(),
    '/large': (response) => response.end(Buffer.alloc(5000)),
    '/cut': (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    },
    '/silent': () => undefined,
  };
  beforeAll(async () => {
    server = createServer(({ url = '' }, response) => {
      const answer = answers[url];
      if (answer) answer(response);
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const isAllowed = (address: string) => address === '127.0.0.1' || isPublicAddress(address);
  const get = (path: string, options = {}) => fetchImage(base + path, { isAllowed, ...options });

  it('gives the bytes, also after a redirect', async () => {
    expect(Buffer.from(await get('/picture')).toString()).toBe('bytes');
    expect(Buffer.from(await get('/moved')).toString()).toBe('bytes');
  });

  it.each([
    ['/inside', /private or reserved/],
    ['/file', /not an http\(s\) address/],
    ['/nowhere', /sends on to what is no address/],
    ['/round', /more than 5 redirects/],
    ['/none', /answers 404/],
    ['/cut', /transfer broke off/],
  ])('refuses %s in one sentence', async (path, message) => {
    await expect(get(path)).rejects.toThrow(message);
  });

  it('keeps to the limits of bytes and time', async () => {
    await expect(get('/large', { maxBytes: 4999 })).rejects.toThrow(/limit of 4,999/);
    expect((await get('/large', { maxBytes: 5000 })).length).toBe(5000);
    await expect(get('/silent', { timeout: 50 })).rejects.toThrow(/no answer in 0.05 s/);
  });

  it('does not reach this machine, by number or by name', async () => {
    await expect(fetchImage(`${base}/picture`)).rejects.toThrow(/private or reserved/);
    const named = base.replace('127.0.0.1', 'localhost');
    await expect(fetchImage(`${named}/picture`)).rejects.toThrow(/private or reserved/);
    await expect(fetchImage('http://user:word@example.com/')).rejects.toThrow(/user name/);
  });
});
