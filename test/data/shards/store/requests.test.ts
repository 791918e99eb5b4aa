/** Requests to a store: signed so that it takes them, tried again, refused in sentences. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeRequest, urlOf } from '../../../../src/data/shards/store/requests.ts';
import { environmentOf, type FakeStore, startStore } from './s3-server.ts';

let store: FakeStore;
let env: Record<string, string>;
beforeEach(async () => {
  store = await startStore();
  env = environmentOf(store, '/nowhere');
});
afterEach(() => store.close());

const get = async (address: string, changes: Record<string, string> = {}) => {
  const response = await storeRequest(
    address,
    { method: 'GET' },
    { env: { ...env, ...changes }, retryDelay: 1 },
  );
  return response.text();
};

describe('a request to S3', () => {
  it.each(['a/x-0.tar', "a b/ü+&=(1)*'!~.tar"])('is signed: %s', async (key) => {
    store.objects.set(`b/${key}`, Buffer.from('content'));
    expect(await get(`s3://b/${key}`)).toBe('content');
    const put = { method: 'PUT', body: Uint8Array.of(1, 2) } as const;
    await storeRequest(`s3://b/new ${key}`, put, { env });
    expect(store.objects.get(`b/new ${key}`)).toEqual(Buffer.of(1, 2));
  });

  it('with wrong keys is refused once, saying what to look at', async () => {
    await expect(get('s3://b/x', { AWS_SECRET_ACCESS_KEY: 'wrong' })).rejects.toThrow(
      's3://b/x: the store refuses (403 SignatureDoesNotMatch); check AWS_ACCESS_KEY_ID,',
    );
    expect(store.asked).toEqual(['GET b/x']);
    await expect(get('s3://b/x', { AWS_SECRET_ACCESS_KEY: '' })).rejects.toThrow(
      'AWS_SECRET_ACCESS_KEY is not set, but its other half is;',
    );
  });

  it('without keys is not signed', async () => {
    const open = await startStore(true);
    open.objects.set('b/x', Buffer.from('open'));
    const text = await storeRequest(
      's3://b/x',
      { method: 'GET' },
      { env: { AWS_ENDPOINT_URL_S3: open.url } },
    ).then((response) => response.text());
    expect(text).toBe('open');
    await open.close();
  });

  it('of an object that is not there says so', async () => {
    await expect(get('s3://b/x')).rejects.toThrow(
      's3://b/x: there is no such object (404 NoSuchKey).',
    );
  });

  it('goes to Amazon where no endpoint is set', () => {
    expect(urlOf('s3://b/a c/x', { AWS_REGION: 'eu-west-1' })).toBe(
      'https://b.s3.eu-west-1.amazonaws.com/a%20c/x',
    );
    expect(() => urlOf('s3://b', {})).toThrow('s3://b: write it as s3://bucket/key.');
    expect(() => urlOf('s3://b/x', { AWS_ENDPOINT_URL: 'host:9000' })).toThrow(
      'AWS_ENDPOINT_URL: this is no address;',
    );
  });
});

describe('a store that fails', () => {
  it('in passing is asked again', async () => {
    store.objects.set('b/x', Buffer.from('content'));
    store.faults.push(503, 500, 429, 502);
    expect(await get('s3://b/x')).toBe('content');
    expect(store.asked).toHaveLength(5);
  });

  it('five times is given up, and said to be', async () => {
    store.faults.push(503, 503, 503, 503, 503);
    await expect(get('s3://b/x')).rejects.toThrow(
      's3://b/x: the store answers 503, 5 times; try again later.',
    );
  });

  it('is given up when nobody listens', async () => {
    await store.close();
    await expect(get('s3://b/x')).rejects.toThrow(
      /^s3:\/\/b\/x: the store cannot be reached \(.*ECONNREFUSED.*\), 5 times; try again later\.$/,
    );
  });
});
