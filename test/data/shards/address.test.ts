import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  absoluteAddress,
  formatAddress,
  keyOf,
  parseAddress,
  shardKind,
  shardKinds,
  shardName,
} from '../../../src/data/shards/address.ts';

describe('an address in a shard', () => {
  it('is read as it was written', () => {
    const word = fc.string({ minLength: 1 }).filter((text) => !text.includes(':'));
    fc.assert(
      fc.property(fc.constantFrom(...shardKinds), word, word, (kind, member, shard) => {
        const address = { kind, member, shard };
        expect(parseAddress(formatAddress(address))).toEqual(address);
      }),
    );
  });

  it("is fsspec's chained address, also of a shard in a store", () => {
    expect(parseAddress('tar://a/0.jpg::s3://b/x.tar')).toEqual({
      kind: 'tar',
      member: 'a/0.jpg',
      shard: 's3://b/x.tar',
    });
  });

  it('is no path, and no other address', () => {
    for (const path of ['a.jpg', '/data/tar/0.jpg', 'http://a::b', 'tar://a.jpg', 'C:\\a.jpg'])
      expect(parseAddress(path)).toBeUndefined();
  });

  it('becomes absolute by its shard', () => {
    expect(absoluteAddress('zip://a.jpg::b.zip')).toBe(`zip://a.jpg::${resolve('b.zip')}`);
    expect(absoluteAddress('a.jpg')).toBe(resolve('a.jpg'));
    expect(absoluteAddress('zip://a.jpg::s3://b/c.zip')).toBe('zip://a.jpg::s3://b/c.zip');
  });
});

describe('keys', () => {
  it.each([
    ['0.jpg', '0'],
    ['train/0.seg.png', 'train/0'],
    ['v1.0/0.jpg', 'v1.0/0'],
    ['0', '0'],
  ])('%s has the key %s', (name, key) => expect(keyOf(name)).toBe(key));
});

describe('names of shards', () => {
  it('end as shards do', () => {
    const names = ['a.tar', 'b/A.TAR', 'a.zip', 'a.parquet', 'a.tar.gz', 'tar'];
    expect(names.map(shardKind)).toEqual(['tar', 'tar', 'zip', 'parquet', undefined, undefined]);
  });

  it('are told without folder and ending', () =>
    expect(['s3://b/c/train-0.1.tar', 'https://h/x.tar?sig=a/b.tar'].map(shardName)).toEqual([
      'train-0.1',
      'x',
    ]));
});
