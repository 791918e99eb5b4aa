/** Who may ask, from where, and what is told to whom. */
import { describe, expect, it } from 'vitest';
import { checkHost, checkOrigin, isLoopbackHost } from '../../../src/server/safety/address.ts';
import { base64, json, testServer } from '../app.ts';

const loopback = { isLoopback: true, hasToken: false, cors: [] };

describe('hosts', () => {
  it('of this machine are known', () => {
    for (const host of [
      'localhost',
      'LOCALHOST:80',
      '127.0.0.1:8080',
      '127.1.2.3',
      '[::1]:1',
      '::1',
      'a.localhost',
    ])
      expect(isLoopbackHost(host)).toBe(true);
    for (const host of [
      '0.0.0.0',
      'localhost.evil.example',
      '128.0.0.1',
      '127.0.0.1.evil.example',
      '[::2]',
    ])
      expect(isLoopbackHost(host)).toBe(false);
  });

  it('that a name server elsewhere may answer for are refused without a token', () => {
    const open = { ...loopback, isLoopback: false };
    for (const host of ['evil.example', '127.0.0.1.evil.example:8080', 'localhost.evil.example']) {
      expect(() => checkHost(host, loopback)).toThrow('localhost alone');
      expect(() => checkHost(host, open)).toThrow('--token');
      checkHost(host, { ...open, hasToken: true });
    }
    expect(() => checkHost('192.168.1.5:8080', loopback)).toThrow();
    for (const host of ['192.168.1.5:8080', '[fe80::1]:80', 'refcap:8080', 'nas.local', 'nas.lan'])
      checkHost(host, open);
  });

  it('are checked before all else', async () => {
    const { app, captioner } = testServer();
    const response = await app.request('http://evil.example/v1/captions', json({ image: 'QQ==' }));
    expect([response.status, captioner.batches.length]).toEqual([403, 0]);
  });
});

describe('origins', () => {
  it('may be none, the own, and those that are allowed', () => {
    const rules = { ...loopback, cors: ['https://photos.example', 'app://notes'] };
    for (const origin of [undefined, 'http://localhost:8080', ...rules.cors])
      checkOrigin(origin, 'localhost:8080', rules);
    for (const origin of ['null', 'http://localhost:81', 'https://photos.example.evil', ''])
      expect(() => checkOrigin(origin, 'localhost:8080', rules)).toThrow('--cors');
    checkOrigin('https://anything.example', 'localhost', { ...rules, cors: ['*'] });
  });

  it('that are allowed can read answers, also of what asks first', async () => {
    const { send } = testServer({ cors: ['https://photos.example'], token: 'secret' });
    const origin = 'https://photos.example';
    const preflight = await send('/v1/captions', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization/i);
    const headers = { origin, authorization: 'Bearer secret' };
    const answer = await send('/v1/models', { headers });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([
      200,
      origin,
    ]);
    const strange = await send('/v1/models', {
      headers: { ...headers, origin: 'https://evil.example' },
    });
    expect([strange.status, strange.headers.get('access-control-allow-origin')]).toEqual([
      403,
      null,
    ]);
  });
});

describe('a token', () => {
  it('is asked for by everything but health', async () => {
    const { send } = testServer({ token: 'secret' });
    const status = async (path: string, authorization?: string) =>
      (await send(path, authorization === undefined ? {} : { headers: { authorization } })).status;
    for (const path of ['/v1/models', '/metrics', '/nowhere']) {
      expect(await status(path)).toBe(401);
      for (const wrong of ['Bearer secre', 'Bearer', 'Basic secret', 'secret'])
        expect(await status(path, wrong)).toBe(401);
    }
    expect(await status('/v1/models', 'Bearer secret')).toBe(200);
    expect(await status('/v1/models', 'bearer  secret')).toBe(200);
    expect(await status('/health/live')).toBe(200);
    expect(await status('/health/ready')).toBe(200);
    const { headers } = await send('/v1/models');
    expect(headers.get('www-authenticate')).toBe('Bearer');
  });
});

describe('pages', () => {
  it('are served with a policy that lets nothing in from elsewhere, also where a token is asked for', async () => {
    const page = new Map([
      ['/', { bytes: new Uint8Array(Buffer.from('<!doctype html>')), type: 'text/html' }],
      ['/assets/a.js', { bytes: new Uint8Array(1), type: 'text/javascript' }],
    ]);
    const { send } = testServer({ page, token: 'secret' });
    const index = await send('/');
    expect([index.status, await index.text()]).toEqual([200, '<!doctype html>']);
    expect(index.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(index.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await send('/assets/a.js')).headers.get('cache-control')).toContain('immutable');
    expect((await send('/', { method: 'POST' })).status).toBe(401);
    expect((await send('/../package.json')).status).toBe(401);
  });
});

describe('health, metrics and models', () => {
  it('tell of the server', async () => {
    const { send, service } = testServer();
    await send('/v1/captions', json({ images: [base64('a'), base64('bad')] }));
    expect(await (await send('/v1/models')).json()).toMatchObject({
      object: 'list',
      data: [{ id: 'refcap-small', object: 'model', created: 1e9 }],
    });
    const text = await (await send('/metrics')).text();
    for (const line of [
      'refcap_captions_total 1',
      'refcap_failures_total{status="422"} 1',
      'refcap_batch_pictures_count 1',
      'refcap_queue_pictures 0',
      'refcap_stage_seconds_count{stage="generate"} 1',
      'refcap_request_seconds_count{route="/v1/captions",status="200"} 1',
    ])
      expect(text).toContain(line);
    expect(text).toMatch(/process_resident_memory_bytes \d{7}/);
    service.drain();
    expect((await send('/health/ready')).status).toBe(503);
    expect((await send('/health/live')).status).toBe(200);
    expect((await send('/v1/captions', json({ image: 'QQ==' }))).status).toBe(503);
  });
});
