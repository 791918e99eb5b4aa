/** Which proxy the environment names, and requests through one. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { environmentFetch, proxyFor } from '../../src/base/proxy.ts';
import { FakeProxy } from '../proxy-server.ts';

describe('proxyFor', () => {
  const p = 'http://proxy:3128';
  it.each<[string, Record<string, string>, string | undefined]>([
    ['https://a.org', {}, undefined],
    ['https://a.org', { HTTPS_PROXY: p }, 'proxy:3128'],
    ['https://a.org', { https_proxy: p, HTTPS_PROXY: 'http://other:1' }, 'proxy:3128'],
    ['http://a.org', { HTTPS_PROXY: p }, undefined],
    ['http://a.org', { http_proxy: p }, 'proxy:3128'],
    ['http://a.org', { ALL_PROXY: p }, 'proxy:3128'],
    ['https://a.org', { all_proxy: 'http://other:1', HTTPS_PROXY: p }, 'proxy:3128'],
    ['https://a.org', { HTTPS_PROXY: 'proxy:3128' }, 'proxy:3128'],
    ['https://a.org', { HTTPS_PROXY: '' }, undefined],
    ['https://a.org', { HTTPS_PROXY: p, NO_PROXY: '*' }, undefined],
    ['https://a.org', { HTTPS_PROXY: p, NO_PROXY: 'b.org, a.org' }, undefined],
    ['https://x.a.org', { HTTPS_PROXY: p, no_proxy: 'a.org' }, undefined],
    ['https://x.a.org', { HTTPS_PROXY: p, no_proxy: '.a.org' }, undefined],
    ['https://x.a.org', { HTTPS_PROXY: p, no_proxy: '*.A.org' }, undefined],
    ['https://ba.org', { HTTPS_PROXY: p, no_proxy: 'a.org' }, 'proxy:3128'],
    ['https://a.org:8443', { HTTPS_PROXY: p, no_proxy: 'a.org:443' }, 'proxy:3128'],
    ['https://a.org', { HTTPS_PROXY: p, no_proxy: 'a.org:443' }, undefined],
    ['http://10.1.2.3', { http_proxy: p, no_proxy: '10.0.0.0/8' }, undefined],
    ['http://11.1.2.3', { http_proxy: p, no_proxy: '10.0.0.0/8' }, 'proxy:3128'],
    ['http://[::1]:80', { http_proxy: p, no_proxy: '::1' }, undefined],
    ['http://[::1]:80', { http_proxy: p, no_proxy: '[::1]' }, undefined],
  ])('%s with %j', (url, env, host) => {
    expect(proxyFor(new URL(url), env)?.host).toBe(host);
  });

  it.each(['http://', 'ftp://proxy', 'http://pro xy'])('names the variable of %j', (value) => {
    expect(() => proxyFor(new URL('https://a.org'), { HTTPS_PROXY: value })).toThrow(
      /^HTTPS_PROXY: this is not the address of a proxy; write it as http:\/\/host:port/,
    );
    expect(() => proxyFor(new URL('https://a.org'), { ALL_PROXY: value })).toThrow(InputError);
  });
});

describe('environmentFetch', () => {
  const proxy = new FakeProxy();
  let server: Server;
  let origin = '';
  beforeAll(async () => {
    await proxy.start();
    server = createServer(({ url, headers }, response) => {
      if (url === '/moved') response.writeHead(302, { location: 'http://there.invalid/x' }).end();
      else response.setHeader('x-seen', headers.range ?? '').end('content');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    proxy.route = () => origin;
  });
  beforeEach(() => {
    proxy.asked = [];
    proxy.authorization = proxy.refusal = undefined;
  });
  afterAll(async () => {
    await proxy.stop();
    server.closeAllConnections();
    server.close();
  });
  const reasonOf = async (promise: Promise<unknown>) => {
    const error: unknown = await promise.catch((reason) => reason);
    return error instanceof Error && error.cause instanceof Error ? error.cause.message : error;
  };

  it('is fetch itself where no proxy is named', () => {
    expect(environmentFetch({ PATH: '/bin', HTTPS_PROXY: '' })).toBe(fetch);
  });

  it('asks the proxy, with the password of its address, and follows redirects', async () => {
    proxy.authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    const through = environmentFetch({ HTTP_PROXY: proxy.url.replace('//', '//me:p%40ss@') });
    const response = await through('http://here.invalid/moved', { headers: { range: 'bytes=1-' } });
    expect(await response.text()).toBe('content');
    expect(response.headers.get('x-seen')).toBe('bytes=1-');
    expect(proxy.asked).toEqual(['GET http://here.invalid/moved', 'GET http://there.invalid/x']);
  });

  it('goes past it where NO_PROXY says so, hop by hop', async () => {
    const through = environmentFetch({ HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' });
    expect(await (await through(`${origin}/moved`)).text()).toBe('content');
    expect(proxy.asked).toEqual(['GET http://there.invalid/x']);
  });

  it('tells of a proxy that refuses, wants a password, or is not there', async () => {
    const https = (url: string) => environmentFetch({ HTTPS_PROXY: url })('https://here.invalid/');
    const host = new URL(proxy.url).host;
    proxy.refusal = 502;
    expect(await reasonOf(https(proxy.url))).toBe(`through the proxy ${host}: it answers 502`);
    expect(proxy.asked).toEqual(['CONNECT here.invalid:443']);
    proxy.authorization = 'Basic x';
    expect(await reasonOf(https(proxy.url.replace('//', '//a:b@')))).toBe(
      `through the proxy ${host}: it wants another user name and password: http://user:password@host:port`,
    );
    expect(await reasonOf(https('http://127.0.0.1:1'))).toBe(
      'through the proxy 127.0.0.1:1: ECONNREFUSED',
    );
  });

  it('leaves an abort an abort', async () => {
    const through = environmentFetch({ HTTP_PROXY: proxy.url });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(through('http://here.invalid/', { signal })).rejects.toThrow('enough');
  });
});
