import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchImage } from '../../../src/caption/sources/address.ts';
import { isPublicAddress } from '../../../src/caption/sources/public.ts';
import { FakeProxy } from '../../proxy-server.ts';

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

  describe('behind a proxy', () => {
    const proxy = new FakeProxy();
    beforeAll(() => proxy.start());
    afterAll(() => proxy.stop());

    it('asks the proxy, whose connections it leaves to it', async () => {
      proxy.route = () => base;
      const env = { HTTP_PROXY: proxy.url };
      const bytes = await fetchImage('http://pictures.invalid/moved', { env });
      expect(Buffer.from(bytes).toString()).toBe('bytes');
      expect(proxy.asked).toEqual([
        'GET http://pictures.invalid/moved',
        'GET http://pictures.invalid/picture',
      ]);
      expect(
        Buffer.from(await get('/picture', { env: { ...env, NO_PROXY: '127.0.0.0/8' } })).toString(),
      ).toBe('bytes');
      expect(proxy.asked).toHaveLength(2);
    });

    it.each([
      ['http://intranet/x', /private or reserved/],
      ['http://10.0.0.1/x', /private or reserved/],
      ['http://pictures.invalid/inside', /private or reserved/],
      ['http://pictures.invalid/none', /the server answers 404 \(through the proxy 127/],
      [
        'https://pictures.invalid/x',
        /cannot be fetched \(through the proxy 127[^:]+:\d+: it answers 502\)/,
      ],
    ])('refuses %s in one sentence', async (address, sentence) => {
      proxy.route = () => base;
      proxy.refusal = 502;
      await expect(fetchImage(address, { env: { all_proxy: proxy.url } })).rejects.toThrow(
        sentence,
      );
    });
  });
});
