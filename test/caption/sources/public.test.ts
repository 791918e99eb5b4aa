/** Public and private addresses, and names behind a proxy. */
import { describe, expect, it } from 'vitest';
import { isPublicAddress, mayBePublic } from '../../../src/caption/sources/public.ts';

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

describe('mayBePublic', () => {
  it.each([
    'intranet',
    'printer.local',
    'x.localhost',
    'localhost',
    '10.0.0.1',
    'db.internal.',
    '::1',
  ])('%s may not', async (host) => expect(await mayBePublic(host, isPublicAddress)).toBe(false));

  it.each(['8.8.8.8', 'no-such-name.invalid'])('%s may: the proxy decides', async (host) =>
    expect(await mayBePublic(host, isPublicAddress)).toBe(true),
  );
});
